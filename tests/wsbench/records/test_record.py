import json
import os
import re
import stat

import numpy as np
import pytest
from msgspec.structs import replace

import wsbench
from support.methods import Failing, FirstThree, loaded
from support.records import rewrite
from wsbench.records.environment import ThreadPool


def evaluated(zoo, method, seed=0, **info):
    return wsbench.evaluate(loaded(method, **info), zoo, seed=seed)


@pytest.fixture
def evaluation(made_up_zoo):
    return evaluated(made_up_zoo, FirstThree())


@pytest.fixture
def record(evaluation):
    return wsbench.save_record(evaluation)


# --- writing -------------------------------------------------------------------------------------


def test_save_record__writes_json_and_answers_named_after_their_content(record):
    assert record.path.parent == wsbench.home() / "records" / "made-up-v1"
    names = sorted(path.name for path in record.path.parent.iterdir())
    assert len(names) == 2
    assert all(re.fullmatch(r"mine-[0-9a-f]{12}\.(json|npz)", name) for name in names)
    assert (record.method, record.zoo) == ("mine", "made-up-v1")


def test_save_record__survives_the_disk(evaluation, record):
    loaded = wsbench.load_record(record.path)
    assert loaded.content == record.content
    assert loaded.scores == record.scores == evaluation.scores
    answers, truths = wsbench.load_answers(loaded)
    assert set(answers) == set(evaluation.answers)
    for task, arrays in evaluation.answers.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(answers[task][name], array, strict=True)
    expected = evaluation.truths["standard"]
    for name in ("model", "epoch", "gallery"):
        np.testing.assert_array_equal(getattr(truths["standard"], name), getattr(expected, name))


def test_save_record__is_strict_json_of_the_documented_keys(evaluation, record, made_up_zoo):
    def refuse(constant):
        raise AssertionError(constant)

    content = json.loads(record.path.read_text(), parse_constant=refuse)
    assert set(content) == {
        "format", "method", "zoo", "suite", "seed", "versions", "scores", "robustness", "accuracy",
        "error", "seconds", "cost", "environment", "answers", "tracks",
    }  # fmt: skip
    assert content["zoo"] == {
        "id": "made-up-v1", "content_digest": made_up_zoo.content_digest,
    }  # fmt: skip
    assert content["versions"] == {
        "identification": 3, "sparse-identification": 1, "ordering": 3, "precedence": 1,
        "robustness": 2,
    }  # fmt: skip
    assert set(content["environment"]["packages"]) >= {"wsbench", "numpy", "numba", "torch"}
    tasks = ["identification", "sparse-identification", "ordering", "precedence"]
    tracks = {
        "as-written": [["none"]], "symmetry": [["permute"]], "compression": [["int8"]],
        "both": [["permute+int8"]],
    }  # fmt: skip
    assert content["suite"] == {
        "name": "smoke", "version": 2, "tasks": tasks, "tracks": tracks,
        "perturbations": ["none", "int8", "permute", "permute+int8"], "overall": tasks[:2],
    }  # fmt: skip
    assert set(content["scores"]) == {
        f"{task}/{perturbation}" for task in tasks for perturbation in
        content["suite"]["perturbations"]
    }  # fmt: skip
    assert set(content["tracks"]) == {*tasks, "overall"}
    assert set(content["tracks"]["overall"]) == {*tracks, "overall"}
    assert set(content["robustness"]["ordering"]) == {"compression", "symmetry"}
    assert content["scores"]["identification/none"]["map_at_r"]["interval"] is None
    assert record.scores == evaluation.scores


def test_save_record__keeps_intervals_as_pairs(make_zoo):
    zoo = wsbench.load_zoo(make_zoo(models=30))  # six test models
    record = wsbench.save_record(evaluated(zoo, FirstThree()))
    content = json.loads(record.path.read_text())
    low, high = content["scores"]["identification/none"]["map_at_r"]["interval"]
    assert (low, high) == record.scores["identification/none"]["map_at_r"].interval


def test_save_record__the_same_evaluation_again_has_the_same_name(made_up_zoo):
    folder = wsbench.home() / "records" / "made-up-v1"
    for _ in range(2):
        wsbench.save_record(evaluated(made_up_zoo, FirstThree()))
    assert len(list(folder.iterdir())) == 2
    wsbench.save_record(evaluated(made_up_zoo, FirstThree(), seed=1))
    wsbench.save_record(evaluated(made_up_zoo, FirstThree(), version="2"))
    assert len(list(folder.glob("*.json"))) == 3


def test_save_record__keeps_the_traceback_of_a_method_that_failed(made_up_zoo, tmp_path):
    record = wsbench.save_record(evaluated(made_up_zoo, Failing()), tmp_path / "here")
    assert record.path.parent == tmp_path / "here" / "made-up-v1"
    loaded = wsbench.load_record(record.path)
    assert "RuntimeError: no luck" in loaded.content.error
    assert loaded.content.answers is None
    assert loaded.scores == wsbench.rescore(loaded) == {}


def test_save_record__holds_an_infinite_margin_as_null(make_zoo):
    zoo = wsbench.load_zoo(make_zoo(models=5))  # one test model
    record = wsbench.save_record(evaluated(zoo, FirstThree()))
    assert record.scores["identification/none"]["margin"].value is None
    assert wsbench.rescore(record.path) == record.scores


def test_save_record__explains_a_folder_that_cannot_be_written(evaluation, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(wsbench.StorageError, match="cannot write: Not a directory"):
        wsbench.save_record(evaluation, tmp_path / "file")


def test_save_record__can_be_read_by_others(record):
    assert stat.S_IMODE(record.path.stat().st_mode) & 0o444


@pytest.mark.parametrize(
    ("pools", "variables", "option"),
    [
        ([1], {"OPENBLAS_NUM_THREADS": "4"}, ""),  # the default
        ([3, 1], {"OPENBLAS_NUM_THREADS": "1"}, " --threads 3"),
        ([4], {"OPENBLAS_NUM_THREADS": "1"}, " --threads 4"),
        ([], {"OPENBLAS_NUM_THREADS": "1"}, ""),  # older records: by the variable, else processors
        ([], {"OPENBLAS_NUM_THREADS": "1; rm -r ."}, " --threads 4"),
        ([], {"OPENBLAS_NUM_THREADS": "0"}, " --threads 4"),
        ([], {"OTHER": "1"}, " --threads 4"),
    ],
)
def test_command__evaluates_the_same_with_as_many_threads(record, pools, variables, option):
    environment = replace(
        record.content.environment,
        n_cpus=4,
        thread_pools=[ThreadPool("openblas", None, n) for n in pools],
        variables=variables,
    )
    same = wsbench.Record(record.path, replace(record.content, environment=environment))
    command = "wsbench evaluate 'a test' --zoo made-up-v1 --suite smoke --seed 0"
    assert same.command == command + option


@pytest.mark.parametrize("threads", [1, 2])
def test_save_record__holds_how_many_threads_the_evaluation_had(made_up_zoo, threads):
    method = loaded(FirstThree())
    evaluation = wsbench.evaluate(method, made_up_zoo, limits=wsbench.Limits(threads=threads))
    pools = wsbench.save_record(evaluation).content.environment.thread_pools
    assert {pool.threads for pool in pools} == {threads}


# --- finding -------------------------------------------------------------------------------------


def test_find_record__by_path_and_the_newest_by_name(made_up_zoo):
    folder = wsbench.home() / "records" / "made-up-v1"
    older = wsbench.save_record(evaluated(made_up_zoo, FirstThree()))
    newer = wsbench.save_record(evaluated(made_up_zoo, FirstThree(), seed=1))
    os.utime(older.path, (1, 1))
    assert wsbench.find_record("mine", folder).path == newer.path
    os.utime(newer.path, (0, 0))
    assert wsbench.find_record("mine", folder).path == older.path
    assert wsbench.find_record(str(newer.path), folder).path == newer.path


def test_find_record__by_name_and_parameters(made_up_zoo):
    folder = wsbench.home() / "records" / "made-up-v1"
    found = {}
    for k in (3, 5):
        method = wsbench.load_method("svd", {"k": k})
        found[k] = wsbench.save_record(wsbench.evaluate(method, made_up_zoo)).path
    assert {k: wsbench.find_record(f"svd k={k}", folder).path for k in (3, 5)} == found


def test_find_record__a_name_alone_is_the_method_with_its_defaults(made_up_zoo):
    folder = wsbench.home() / "records" / "made-up-v1"
    plain = wsbench.save_record(wsbench.evaluate("svd", made_up_zoo)).path
    other = wsbench.save_record(
        wsbench.evaluate(wsbench.load_method("svd", {"k": 3}), made_up_zoo)
    ).path
    assert wsbench.find_record("svd", folder).path == plain
    plain.unlink()
    assert wsbench.find_record("svd", folder).path == other


def test_find_record__names_the_nearest(record):
    with pytest.raises(wsbench.UnknownIdError, match="unknown method 'mein'; did you mean 'mine'"):
        wsbench.find_record("mein", record.path.parent)


# --- computing scores again ----------------------------------------------------------------------


def test_rescore__gives_the_recorded_scores_to_the_last_digit(record):
    assert wsbench.rescore(record.path) == record.scores
    assert wsbench.rescore(str(record.path)) == record.scores
    assert wsbench.rescore(wsbench.load_record(record.path)) == record.scores


def test_rescore__of_real_models_gives_the_recorded_scores(digits_zoo):
    record = wsbench.save_record(wsbench.evaluate("random", digits_zoo, seed=2))
    assert wsbench.rescore(record.path) == record.scores
    size = record.path.with_suffix(".json").stat().st_size + record.content.answers.bytes
    assert size < 200_000


def test_rescore__believes_the_answers_and_not_the_numbers(record):
    def boast(content):
        content["scores"]["identification/none"]["map_at_r"]["value"] = 0.999

    forged = rewrite(record, boast, rename=True)
    loaded = wsbench.load_record(forged)
    assert loaded.scores["identification/none"]["map_at_r"].value == 0.999
    assert wsbench.rescore(loaded) == record.scores
