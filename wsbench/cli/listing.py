"""The command ``list``: zoos and methods, or perturbations, or tasks."""

import re
from dataclasses import asdict
from typing import Annotated, Any

import typer

import wsbench
from wsbench.cli.output import JsonOption, human_bytes, print_json, print_line, print_wrapped
from wsbench.networks.perturbations import MEANINGS, networks_that_allow
from wsbench.zoo.schema import CARD_FILE, ZOO_FILE

_TITLE = re.compile(r'^pretty_name: "[^"\n:]+: ([^"\n]+)"$', re.MULTILINE)
_CARD_START_BYTES = 1000  # of a card, whose second line is the title


def list_(
    perturbations: Annotated[
        bool, typer.Option("--perturbations", help="List perturbations instead.")
    ] = False,
    tasks: Annotated[bool, typer.Option("--tasks", help="List tasks instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the zoos, published or built from your recipes, and the installed methods."""
    if perturbations and tasks:
        raise typer.BadParameter("give one of --perturbations and --tasks")
    content: dict[str, Any] = {"zoos": _zoos(), "methods": wsbench.list_methods()}
    if perturbations:
        content = {"perturbations": _perturbations()}
    if tasks:
        content = {"tasks": _tasks()}
    if as_json:
        print_json(content)
    elif perturbations:
        _print_columns(content["perturbations"], ("name", "meaning", "networks"))
        print_line("next: wsbench evaluate --perturb none --perturb int8")
    elif tasks:
        _print_columns(content["tasks"], ("name", "question", "score"))
        print_line("next: wsbench evaluate --task ordering")
    else:
        _print_zoos_and_methods(content)


def own_zoos() -> list[str]:
    """Return the ids of the zoos in the cache that are not published."""
    found = sorted(file.parent.name for file in (wsbench.home() / "zoos").glob(f"*/{ZOO_FILE}"))
    published = wsbench.published_zoos()
    return [zoo_id for zoo_id in found if zoo_id not in published]


def _zoos() -> list[dict[str, Any]]:
    published = [
        {
            **asdict(zoo),
            "built": (wsbench.zoo_folder(zoo.id) / ZOO_FILE).exists(),
            "published": True,
        }
        for zoo in wsbench.published_zoos().values()
    ]
    own = [
        {
            "id": zoo_id,
            "title": _title(zoo_id),
            "bytes": (wsbench.zoo_folder(zoo_id) / ZOO_FILE).stat().st_size,
            "built": True,
            "published": False,
        }
        for zoo_id in own_zoos()
    ]
    return published + own


def _title(zoo_id: str) -> str:
    """Return a zoo's title by its card; a damaged one has its id."""
    try:
        with (wsbench.zoo_folder(zoo_id) / CARD_FILE).open("rb") as file:
            card = file.read(_CARD_START_BYTES).decode("utf-8", errors="replace")
    except OSError:
        card = ""
    found = _TITLE.search(card)
    return found[1] if found else zoo_id


def _perturbations() -> list[dict[str, str]]:
    return [
        {
            "name": name,
            "kind": kind,
            "meaning": MEANINGS[name],
            "networks": networks_that_allow(name),
        }
        for name, kind in wsbench.PERTURBATIONS.items()
    ]


def _tasks() -> list[dict[str, str]]:
    specs = {name: wsbench.primary_score(name) for name in wsbench.TASKS}
    return [
        {
            "name": name,
            "question": task.QUESTION,
            "score": specs[name].heading,
            "meaning": specs[name].meaning,
        }
        for name, task in wsbench.TASKS.items()
    ]


def _print_zoos_and_methods(content: dict[str, Any]) -> None:
    print_line("zoos")
    width = max(16, *(len(zoo["id"]) for zoo in content["zoos"]))
    for zoo in content["zoos"]:
        state = "built" if zoo["built"] else "not built yet"
        if not zoo["published"]:
            state = "built, not published"
        size = human_bytes(zoo["bytes"])
        print_wrapped(f"  {zoo['id']:<{width}} {zoo['title']}; {size}, {state}", indent=width + 3)
    print_line("methods")
    for name in content["methods"]:
        print_line(f"  {name}")


def _print_columns(rows: list[dict[str, str]], keys: tuple[str, str, str]) -> None:
    """Print the values of three keys in columns, the last one in parentheses."""
    width = max(len(row[keys[0]]) for row in rows)
    for row in rows:
        first, second, third = (row[key] for key in keys)
        print_wrapped(f"{first:<{width}}  {second} ({third})", indent=width + 2)
