"""Records with numbers that no machine has: each command refuses them in one line."""

import json
import re

import pytest

HUGE = 10**400
COST = {"fit_s": 1.0, "embed_s": 1.0, "order_s": 1.0, "peak_bytes": 1}


@pytest.fixture(
    params=["cost.peak_bytes", "cost.fit_s", "answers.bytes", "seed", "seconds.fit", "versions",
            "environment.n_cpus", "suite.version", "scores", "parameters"],
)  # fmt: skip
def forged(request, victim):
    """The path of a record that claims 10**400 of something, under the name it had."""
    content = json.loads(victim.read_text())
    part, _, key = request.param.partition(".")
    if part == "cost":
        content["cost"] = COST | {key: HUGE}
    elif part == "scores":
        content["scores"]["ordering/none"]["abs_tau"]["value"] = HUGE
    elif part == "versions":
        content["versions"]["ordering"] = HUGE
    elif part == "parameters":
        content["method"]["parameters"] = {"k": HUGE}
    elif key:
        content[part][key] = HUGE
    else:
        content[part] = HUGE
    victim.write_text(json.dumps(content))
    return victim


def test_check__refuses_a_huge_number_in_one_line(run, board, forged):
    result = run("leaderboard", "check", board)
    assert (result.status, result.err) == (1, "")
    (line,) = (line for line in result.out.splitlines() if forged.name in line)
    assert len(line) < 600
    assert "Traceback" not in result.out


def test_submit__refuses_a_huge_number_in_one_line(run, forged, tmp_path):
    line = run("submit", forged, "--records", tmp_path / "board").complaint()
    assert forged.name in line
    assert len(line) < 600
    assert not re.search("0{200}", line)
    assert not (tmp_path / "board").exists()


def test_build__refuses_a_huge_number_in_one_line(run, board, forged, tmp_path):
    line = run("leaderboard", "build", board, "--out", tmp_path / "site").complaint()
    assert forged.name in line
    assert len(line) < 600
    assert not list(tmp_path.glob("site/*.html"))
