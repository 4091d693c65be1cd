"""Pages from templates, which escape everything; a page is one file that asks for no other."""

import base64
import hashlib
from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup

import wsbench
from wsbench_leaderboard.board.collect import RescoredRecord, rank_task
from wsbench_leaderboard.columns import columns
from wsbench_leaderboard.site import cells, names, text
from wsbench_leaderboard.site.boards import boards
from wsbench_leaderboard.site.method import methods
from wsbench_leaderboard.site.zoo import zoo

GENERATOR = '<meta name="generator" content="wsbench leaderboard">'

Pages = dict[str, bytes]


def render(results: list[RescoredRecord], facts_folder: Path) -> Pages:
    """Return every page of the site by its path.

    Parameters
    ----------
    results
        As `collect` returns them.
    facts_folder
        Holds the facts about zoos that were written; need not be there.

    Raises
    ------
    FormatError
        If facts are damaged.
    """
    site = _Site()
    found = boards(results)
    zoos = [zoo(board, facts_folder) for board in found]
    shown = columns()
    tables = [
        (board, page, cells.rows(board, shown)) for board, page in zip(found, zoos, strict=True)
    ]
    tasks = list(wsbench.TASKS.values())
    site.add(
        names.INDEX,
        "index.html",
        tasks=tasks,
        rank_task=rank_task(),
        tables=tables,
        headings=cells.headings(shown),
        groups=cells.groups(shown),
    )
    site.add(names.RULES, "rules.html", tasks=tasks)
    for method in methods(found):
        site.add(method.page, "method.html", method=method)
    for page in zoos:
        site.add(page.page, "zoo.html", zoo=page)
    return site.pages


class _Site:
    """Pages so far, and what all of them share."""

    def __init__(self) -> None:
        folder = files("wsbench_leaderboard.site")
        self.pages: Pages = {}
        self._style, self._script = (
            (folder / name).read_text(encoding="utf-8") for name in ("style.css", "sort.js")
        )
        templates = folder / "templates"
        sources = {t.name: t.read_text(encoding="utf-8") for t in templates.iterdir()}
        self._environment = jinja2.Environment(
            loader=jinja2.DictLoader(sources),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=_finalize,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def add(self, path: str, template: str, **content: object) -> None:
        """Render a page; names in templates are relative to the site's folder, under ``root``."""
        html = self._environment.get_template(template).render(
            root="../" * path.count("/"),
            path=path,
            policy=Markup(_policy(self._style, self._script)),
            generator=Markup(GENERATOR),
            style=Markup(self._style),
            script=Markup(self._script),
            **content,
        )
        self.pages[path] = html.encode("utf-8")


def _finalize(value: object) -> object:
    """Spell out what cannot be seen in every text that a template is given."""
    return value if isinstance(value, Markup) else text.visible(str(value))


def _policy(style: str, script: str) -> str:
    """Return a content security policy: this style, this script, and nothing else at all."""

    def sha256(content: str) -> str:
        return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()

    return (
        f"default-src 'none'; style-src 'sha256-{sha256(style)}';"
        f" script-src 'sha256-{sha256(script)}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
