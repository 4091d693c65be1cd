"""Paths of pages, relative to the folder of the site."""

import wsbench
from wsbench_leaderboard.site.boards import Board, label_and_version
from wsbench_leaderboard.site.text import slug

INDEX = "index.html"
RULES = "rules.html"


def method_path(record: wsbench.Record) -> str:
    """Return the path of a method's page; each label and version has one."""
    return f"methods/{slug(*label_and_version(record))}.html"


def zoo_path(board: Board) -> str:
    """Return the path of the page of a board's zoo."""
    return f"zoos/{board.slug}.html"
