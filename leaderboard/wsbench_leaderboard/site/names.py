"""Where each page lies, below the folder of the site."""

import wsbench
from wsbench_leaderboard.site.boards import Board, label_and_version
from wsbench_leaderboard.site.text import slug

INDEX = "index.html"
RULES = "rules.html"


def method_page(record: wsbench.Record) -> str:
    """Return the page of a record's method: one for each name, parameters and version."""
    return f"methods/{slug(*label_and_version(record))}.html"


def zoo_page(board: Board) -> str:
    """Return the page of a board's zoo."""
    return f"zoos/{board.slug}.html"
