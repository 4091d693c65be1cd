"""A folder of records with ties, a stale one, two machines and a hostile one; and its site."""

import dataclasses
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import wsbench
from support.zoos import write_made_up_zoo
from wsbench.evaluation.suite import SUITES
from wsbench_leaderboard.board.collect import collect
from wsbench_leaderboard.site.render import render

SUITE = dataclasses.replace(
    SUITES["smoke"],
    name="custom",
    tasks=("identification", "sparse-identification", "ordering", "retrieval"),
    perturbations=("none", "svd-5", "int8", "permute", "permute+int8"),
    on_curves=("identification", "ordering", "retrieval"),
)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
METHODS = '''
import numpy as np
import wsbench


class Twin:
    """As good as euclidean."""

    info = wsbench.MethodInfo(
        name="twin",
        needs={"labels"},
        code_url="https://a.example/code?x=1&y=2",
        paper_url="https://a.example/paper",
    )

    def transform(self, checkpoints):
        return 2 * checkpoints.weights


class Hostile:
    info = wsbench.MethodInfo(
        name="-".join(["long"] * 20),
        version='"><script>alert(3)</script>',
        description="HOSTILE שלום \\N{MATHEMATICAL BOLD CAPITAL A}",
    )

    def __init__(self, text=""):
        self.text = text

    def transform(self, checkpoints):
        return np.sort(checkpoints.weights, axis=1)
'''


@pytest.fixture(scope="session")
def six_evaluations(tmp_path_factory) -> list[wsbench.Evaluation]:
    """Euclidean and its twin, random, svd, a hostile method, and euclidean on another zoo."""
    folder = tmp_path_factory.mktemp("six")
    file = folder / 'it\'s "quoted" <b>.py'
    file.write_text(METHODS.replace("HOSTILE", HOSTILE))
    zoo = wsbench.load_zoo(write_made_up_zoo(folder / "zoo", models=30))
    other = wsbench.load_zoo(write_made_up_zoo(folder / "other", id="other-v1", recipe=""))
    hostile = wsbench.load_method(f"{file}:Hostile", {"text": f'" onload="alert(4) \' {HOSTILE}'})
    methods = ["euclidean", "random", "svd", wsbench.load_method(f"{file}:Twin"), hostile]
    evaluations = [wsbench.evaluate(method, zoo, suite=SUITE) for method in methods]
    return [*evaluations, wsbench.evaluate("euclidean", other)]


@pytest.fixture(scope="session")
def six_records(six_evaluations, tmp_path_factory, rewrite) -> Path:
    """Six records: euclidean and its twin tie, random is stale, svd ran on another machine."""
    folder = tmp_path_factory.mktemp("six") / "records"
    cpus = ["a CPU"] * 2 + [HOSTILE] + ["a CPU"] * 3
    for evaluation, cpu in zip(six_evaluations, cpus, strict=True):
        rewrite(wsbench.save_record(evaluation, folder).path, partial(_measure, cpu))
    return folder


@pytest.fixture
def records(six_records, tmp_path) -> Path:
    """A copy of the six records; a test may change them."""
    return Path(shutil.copytree(six_records, tmp_path / "records"))


def _measure(cpu: str, content: dict[str, Any]) -> None:
    """Say what a standard suite would have measured, and make one record stale."""
    content["cost"] = {"fit_s": 0.5, "embed_s": 0.0, "order_s": 0.0, "peak_bytes": 9_000_000}
    content["environment"] |= {"cpu": cpu, "n_cpus": 2}
    content["accuracy"] = {"none": 0.9, "svd-5": 0.1, "int8": 0.85}
    if content["method"]["name"] == "random":
        content["versions"]["ordering"] = 0


@pytest.fixture(scope="session")
def pages(six_records) -> dict[str, bytes]:
    """The site, without facts about zoos; read only."""
    return render(collect(six_records), six_records.parent / "zoos")
