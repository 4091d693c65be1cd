"""Packages with broken entry points, installed as any package is: the others go on."""

import itertools
import logging

import pytest

import wsbench
from wsbench.zoo.providers import providers

_NUMBERS = itertools.count()


@pytest.fixture
def install_broken(tmp_path, monkeypatch):
    """Install a package of this source, whose entry point is ``PROVIDER``; return its name."""

    def install(source: str) -> str:
        name = f"broken_zoos_{next(_NUMBERS)}"  # a module is imported once a process
        site = tmp_path / name
        metadata = site / f"{name}-1.dist-info"
        metadata.mkdir(parents=True)
        (site / f"{name}.py").write_text(source)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (metadata / "entry_points.txt").write_text(f"[wsbench.zoos]\n{name} = {name}:PROVIDER\n")
        monkeypatch.syspath_prepend(site)
        return name

    return install


class_ = "class P:\n    def zoos(self):\n        "
BROKEN = [
    ("import sys\nsys.exit(0)", "SystemExit: 0"),
    ("raise BaseException('no')", "BaseException: no"),
    ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    ("PROVIDER = 3", "AttributeError: 'int' object has no attribute 'zoos'"),
    ("", "has no attribute 'PROVIDER'"),
    (f"{class_}return {{'a-v1': 3}}\nPROVIDER = P()", "TypeError: zoos() returns other objects"),
    (f"{class_}raise SystemExit(1)\nPROVIDER = P()", "SystemExit: 1"),
    ("raise Exception('\\x1b[2J\\nsecond line')", r"Exception: \x1b[2J second line"),
]


@pytest.mark.parametrize(("source", "reason"), BROKEN)
def test_providers__leaves_out_a_broken_package_and_says_so_once(
    install_broken, caplog, source, reason
):
    name = install_broken(source)
    with caplog.at_level(logging.WARNING, "wsbench"):
        assert "wsbench" in providers()
        assert name not in providers()
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith(f"wsbench: the zoos of {name} are left out: ")
    assert reason in message
    assert message.isprintable()


@pytest.mark.parametrize("source", ["import sys\nsys.exit(0)", "PROVIDER = 3"])
def test_commands__go_on_beside_a_broken_package(install_broken, run, make_zoo, source):
    name = install_broken(source)
    status, out, _ = run("list")
    assert status == 0
    assert "digits-mlp-v1" in out
    assert name not in out
    assert run("verify", make_zoo()).status == 0


def test_providers__are_interrupted_by_the_keyboard(install_broken):
    install_broken("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        wsbench.published_zoos()
