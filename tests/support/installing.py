"""Distributions of a test's own, installed as any package is: on ``sys.path``, with metadata."""

import itertools
from pathlib import Path

import pytest

_NUMBERS = itertools.count()


def install(
    site: Path, monkeypatch: pytest.MonkeyPatch, group: str, points: dict[str, str], source: str
) -> str:
    """Install a package of one module, and return its name.

    Parameters
    ----------
    site
        A folder, which is put on ``sys.path``.
    group, points
        Entry points by name; ``{module}`` in their values stands for the module.
    source
        Of the module.
    """
    name = f"installed_{next(_NUMBERS)}"  # a module is imported once a process
    metadata = site / f"{name}-1.dist-info"
    metadata.mkdir(parents=True)
    (site / f"{name}.py").write_text(source)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    lines = [f"{point} = {value.format(module=name)}" for point, value in points.items()]
    (metadata / "entry_points.txt").write_text(f"[{group}]\n" + "\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(site)
    return name
