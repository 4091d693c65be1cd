"""Completion in a shell: of commands and of names."""

import os
import subprocess

import pytest

import wsbench
from support.command_line import COMMAND


def completions(*words):
    """Return what bash is offered for the last of some words."""
    environment = {
        "_WSBENCH_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(("wsbench", *words)),
        "COMP_CWORD": str(len(words)),
    }
    result = subprocess.run(
        COMMAND, capture_output=True, text=True, check=False, env=os.environ | environment
    )
    assert result.stderr == ""
    return result.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["eval"], ["evaluate"]),
        (["evaluate", "svd"], ["svd"]),
        (["check", "eucl"], ["euclidean"]),
        (["compare", "rand"], ["random"]),
        (["evaluate", "--suite", "sta"], ["standard"]),
        (["evaluate", "--task", "spa"], ["sparse-identification"]),
        (["evaluate", "--perturb", "prune-9"], ["prune-90", "prune-95"]),
        (["evaluate", "--zoo", "nosuch"], []),
    ],
)
def test_completion__of_commands_and_names(words, expected):
    assert completions(*words) == expected


@pytest.mark.parametrize("words", [["info"], ["verify"], ["evaluate", "--zoo"], ["check", "--zoo"]])
def test_completion__of_zoos_has_those_of_ones_own(make_zoo, words):
    (wsbench.home() / "zoos").mkdir(parents=True)
    make_zoo().rename(wsbench.zoo_folder("made-up-v1"))
    assert completions(*words, "made") == ["made-up-v1"]
    assert set(completions(*words, "digits-mlp")) == {"digits-mlp-v1", "digits-mlp-v2"}


def test_show_completion__prints_a_script(run):
    result = run("--show-completion", "bash")
    assert result.status == 0
    assert "_wsbench_completion" in result.out
