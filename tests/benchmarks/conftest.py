"""Prints, after the benchmarks, our times beside the peers' and the ratios."""

import pytest

_steps: dict[tuple[str, str], float] = {}
_lines: list[str] = []


@pytest.fixture
def record_step():
    """Keep the microseconds that a peer takes for one SGD step of one model."""

    def record(architecture: str, peer: str, us_per_step: float) -> None:
        _steps[architecture, peer] = us_per_step

    return record


@pytest.fixture
def record_line():
    """Keep a line for the summary."""
    return _lines.append


def pytest_terminal_summary(terminalreporter):
    if _lines:
        terminalreporter.section("beside the peers")
    for line in _lines:
        terminalreporter.write_line(line)
    if _steps:
        terminalreporter.section("microseconds per SGD step of one model")
    for (architecture, peer), us in _steps.items():
        line = f"{architecture:<4} {peer:<44} {us:10.3f}"
        if not peer.startswith("kernel"):
            threads = peer.rpartition(", ")[2]
            kernel = _steps.get((architecture, f"kernel, {threads}"))
            line += f"   {us / kernel:7.1f} × the kernel, {threads}" if kernel else ""
        terminalreporter.write_line(line)
