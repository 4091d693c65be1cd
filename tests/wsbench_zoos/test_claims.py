"""Verification of scores and training: each fault is made by writing a zoo that has it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import wsbench
from wsbench_zoos.provider import PROVIDER

Columns = dict[str, np.ndarray]


def write(folder: Path, zoo: wsbench.Zoo, columns: Columns, recipe: str | None = None) -> Path:
    metadata = wsbench.ZooMetadata(
        zoo.id, recipe or zoo.recipe_text, zoo.layout, zoo.license, zoo.created_by
    )
    wsbench.write_zoo(folder, metadata, [columns], zoo.probe_inputs)
    return folder


def outcome(folder: Path, **arguments: object) -> dict[str, set[str]]:
    """The names of the checks by their outcome."""
    result: dict[str, set[str]] = {"passed": set(), "failed": set(), "skipped": set()}
    for check in wsbench.verify_zoo(folder, **arguments).checks:
        result[check.outcome].add(check.name)
    return result


def row(zoo: wsbench.Zoo, model: int, epoch: int) -> int:
    return int(np.flatnonzero((zoo.model == model) & (zoo.epoch == epoch))[0])


def with_two_models_swapped(zoo: wsbench.Zoo, columns: Columns) -> None:
    for name in ("weights", "train_loss", "test_loss", "test_accuracy"):
        first, second = columns[name][zoo.model == 0], columns[name][zoo.model == 1]
        columns[name][zoo.model == 0], columns[name][zoo.model == 1] = second, first


def with_a_row_of_another_model(zoo: wsbench.Zoo, columns: Columns) -> None:
    for name in ("weights", "train_loss", "test_loss", "test_accuracy"):
        columns[name][row(zoo, 1, 3)] = columns[name][row(zoo, 4, 2)]


def with_one_ulp(name: str) -> Callable[[wsbench.Zoo, Columns], None]:
    def change(zoo: wsbench.Zoo, columns: Columns) -> None:
        place = row(zoo, 2, 1)
        columns[name][place] = np.nextafter(columns[name][place], np.float32(1))

    change.__name__ = f"with_one_ulp_of_{name}"
    return change


def with_an_epoch_of_other_weights(zoo: wsbench.Zoo, columns: Columns) -> None:
    columns["weights"][row(zoo, 2, 2)] *= np.float32(1.01)


def with_a_weight_of_a_model_that_is_not_rescored(zoo: wsbench.Zoo, columns: Columns) -> None:
    columns["weights"][row(zoo, 1, 2), 100] += np.float32(1e-3)


def with_a_model_in_another_split(zoo: wsbench.Zoo, columns: Columns) -> None:
    columns["split"][zoo.model == 3] = (columns["split"][zoo.model == 3] + 1) % 3


@pytest.mark.parametrize(
    ("change", "failed", "failed_by_training"),
    [
        (with_two_models_swapped, set(), {"training"}),
        (with_a_row_of_another_model, {"duplicates"}, {"duplicates", "training"}),
        (with_one_ulp("test_accuracy"), {"scores"}, {"scores", "training"}),
        (with_one_ulp("test_loss"), {"scores"}, {"scores", "training"}),
        (with_one_ulp("train_loss"), {"scores"}, {"scores", "training"}),
        (with_an_epoch_of_other_weights, {"scores"}, {"scores", "training"}),
        (with_a_weight_of_a_model_that_is_not_rescored, set(), {"training"}),
        (with_a_model_in_another_split, {"splits"}, {"splits"}),
    ],
)
def test_verify_zoo__finds_what_is_wrong_and_passes_the_rest(
    small_zoo, tmp_path, change, failed, failed_by_training
):
    columns = {name: column.copy() for name, column in small_zoo.columns.items()}
    change(small_zoo, columns)
    folder = write(tmp_path / "zoo", small_zoo, columns)
    checks = {"files", "probe", "format", "values", "digest"}
    checks |= {"network", "splits", "duplicates", "scores"}
    expected = {"passed": checks - failed, "failed": failed, "skipped": {"published"}}
    assert outcome(folder) == expected
    checks |= {"training"}
    expected = {
        "passed": checks - failed_by_training,
        "failed": failed_by_training,
        "skipped": {"published"},
    }
    assert outcome(folder, retrain=5) == expected


def test_verify_zoo__passes_a_zoo_as_it_was_built(small_zoo_folder):
    assert outcome(small_zoo_folder, retrain=5)["failed"] == set()


@pytest.mark.slow
def test_verify_zoo__passes_a_zoo_of_cnns(small_recipe, tmp_path):
    mlp = 'kind = "mlp"\nwidths = [196, 10, 10, 10]\nactivation = "sigmoid"'
    cnn = 'kind = "cnn"\nchannels = [16, 8]\nactivation = "leaky-relu"'
    recipe = small_recipe.replace(mlp, cnn).replace("batch_size = 4", "batch_size = 12")
    recipe = recipe.replace("models = 5", "models = 2")
    (tmp_path / "cnn.toml").write_text(recipe)
    folder = wsbench.build_zoo(tmp_path / "cnn.toml", out=tmp_path / "zoo")
    result = outcome(folder, retrain=2)
    assert (result["failed"], result["skipped"]) == (set(), {"published"})


def test_finding__names_the_first_place_and_both_values(small_zoo, tmp_path):
    columns = {name: column.copy() for name, column in small_zoo.columns.items()}
    place = row(small_zoo, 2, 1)
    columns["test_accuracy"][place] = 0.5
    right = small_zoo.test_accuracy[place]
    verification = wsbench.verify_zoo(write(tmp_path / "zoo", small_zoo, columns))
    assert verification.failed[0].findings == (
        "test_accuracy: differs in 1 of 12 rows; first model 2, epoch 1:"
        f" stored 0.5, computed {right}",
    )


def test_scores__fails_for_a_recipe_of_another_architecture(small_zoo, tmp_path):
    recipe = small_zoo.recipe_text.replace("10, 10, 10]", "12, 10, 10]")
    folder = write(tmp_path / "zoo", small_zoo, small_zoo.columns, recipe)
    assert outcome(folder, retrain=1)["failed"] == {"network", "scores", "training"}
    network, scores, training = wsbench.verify_zoo(folder, retrain=1).failed
    assert network.findings == ("the layout differs from the one that the recipe determines",)
    assert scores.findings == (
        "the recipe's architecture has 2572 parameters, the checkpoints 2160",
    )
    assert training.findings[0] == "weights: shape (4, 2160) stored, (4, 2572) computed"


def test_training__tells_of_every_model(small_zoo_folder):
    reports = []
    wsbench.verify_zoo(small_zoo_folder, retrain=2, progress=reports.append)
    assert [(state.n_done, state.n_models) for state in reports] == [(0, 2), (1, 2), (2, 2)]


def test_retrain__yields_the_models_asked_for_in_order(small_zoo):
    trained = list(PROVIDER.retrain(small_zoo.recipe_text, [4, 1], progress=None))
    for model, columns in zip([4, 1], trained, strict=True):
        np.testing.assert_array_equal(
            columns["weights"], small_zoo.weights[small_zoo.model == model]
        )


def test_retrain__ends_when_nobody_wants_the_rest(small_zoo):
    trained = PROVIDER.retrain(small_zoo.recipe_text, range(1000), progress=None)
    next(trained)
    trained.close()  # returns at once; a thousand models would take a minute


def test_rescore__gives_every_score_of_the_zoo(small_zoo):
    for name, scores in PROVIDER.evaluate_networks(
        small_zoo.recipe_text, small_zoo.weights
    ).items():
        assert scores.dtype == np.float32
        np.testing.assert_array_equal(scores, small_zoo.columns[name])


def test_command__skips_what_needs_data_that_are_not_here(small_zoo, tmp_path):
    recipe = small_zoo.recipe_text.replace('source = "digits"', 'source = "mnist"')
    folder = write(tmp_path / "zoo", small_zoo, small_zoo.columns, recipe)
    environment = {**os.environ, "WSBENCH_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    environment.pop("WSBENCH_DATA", None)
    done = subprocess.run(
        [Path(sys.executable).with_name("wsbench"), "verify", folder, "--retrain", "1"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("scores", "training"):
        assert (
            f"  skipped  {name:<10} MNIST is not on this machine: set WSBENCH_DATA" in done.stdout
        )
    assert done.stdout.endswith("all right, 3 skipped\n")
