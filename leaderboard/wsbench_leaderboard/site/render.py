"""Pages from templates, which escape all content; each page is one self-contained file."""

import base64
import hashlib
from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup

import wsbench
from wsbench_leaderboard.board.collect import RescoredRecord
from wsbench_leaderboard.columns import columns
from wsbench_leaderboard.site import cells, names, text
from wsbench_leaderboard.site.boards import boards
from wsbench_leaderboard.site.heatmap import heat_map
from wsbench_leaderboard.site.method import method_pages
from wsbench_leaderboard.site.zoo import zoo_page

GENERATOR = '<meta name="generator" content="wsbench leaderboard">'

Pages = dict[str, bytes]


def render(results: list[RescoredRecord], facts_folder: Path) -> Pages:
    """Return the pages of the site by path.

    Parameters
    ----------
    results
        As `collect` returns them.
    facts_folder
        Holds facts about zoos; may be missing.

    Raises
    ------
    FormatError
        If facts are damaged.
    """
    site = _Site()
    all_boards = boards(results)
    zoos = [zoo_page(board, facts_folder) for board in all_boards]
    shown = columns(results)
    tables = [
        (board, page, cells.rows(board, shown))
        for board, page in zip(all_boards, zoos, strict=True)
    ]
    tasks = list(wsbench.TASKS.values())
    with_means = {column.task for column in shown if column.source == "tracks"}
    site.add(
        names.INDEX,
        "index.html",
        tasks=[task for task in tasks if task.NAME not in with_means],
        tables=tables,
        has_season=any(result.is_fresh for result in results),
        picture=heat_map(all_boards[0], shown) if all_boards else None,
        headings=cells.headings(shown),
        groups=cells.groups(shown),
    )
    site.add(names.RULES, "rules.html", tasks=tasks)
    for method in method_pages(all_boards, shown):
        site.add(method.page, "method.html", method=method, headings=cells.headings(shown))
    for page in zoos:
        site.add(page.page, "zoo.html", zoo=page)
    return site.pages


class _Site:
    """The rendered pages, with their common style, script and templates."""

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
        """Render a page; templates prefix paths with ``root``, the way to the site's folder."""
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
    """Spell out invisible characters in every text of a template."""
    return value if isinstance(value, Markup) else text.visible(str(value))


def _policy(style: str, script: str) -> str:
    """Return a content security policy that allows this style and this script only."""

    def sha256(content: str) -> str:
        return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()

    return (
        f"default-src 'none'; style-src 'sha256-{sha256(style)}';"
        f" script-src 'sha256-{sha256(script)}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
