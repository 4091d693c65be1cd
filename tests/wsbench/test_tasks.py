import ast

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

import wsbench
from wsbench import tasks
from wsbench.tasks import Score, Truth

# Two models of three checkpoints on a line; rows as a method might see them.
TRUTH = Truth(np.array([4, 9, 4, 9, 4, 9], np.int32), np.array([2, 1, 1, 3, 3, 2], np.int16))
PLACES = np.array([1.5, 10.0, 0.0, 11.9, 2.5, 11.0])
DISTANCES = np.abs(np.subtract.outer(PLACES, PLACES))


def answers(seed=0, order=None):
    found = tasks.identification_answers(DISTANCES, TRUTH, seed)
    ordered = tasks.ordering_answers(order or (lambda rows: np.arange(len(rows))), TRUTH)
    return {"model": TRUTH.model, "epoch": TRUTH.epoch, **found, **ordered}


def test_truth__gives_the_rows_of_each_model_in_epoch_order():
    assert [rows.tolist() for rows in TRUTH.rows_by_model()] == [[2, 0, 4], [1, 5, 3]]


def test_identification_answers__are_neighbours_clusters_and_heights():
    found = answers()
    assert found["neighbours"].tolist() == [[4, 2], [5, 3], [0, 4], [5, 1], [0, 2], [3, 1]]
    assert found["clusters"].tolist() == [0, 1, 0, 1, 0, 1]
    np.testing.assert_allclose(found["heights"], [0.9, 1.0, 1.0, 1.5, 7.5])
    np.testing.assert_allclose(found["margin"], [7.5, 1.5])


def test_identification_scores__are_those_of_the_answers():
    scores = tasks.identification_scores(answers(), TRUTH, 0)
    assert {name: one.value for name, one in scores.items()} == {
        "map_at_r": 1.0, "rank1": 1.0, "ari": 1.0, "bcubed_f1": 1.0, "purity": 1.0,
        "margin": pytest.approx(5.0),
    }  # fmt: skip
    assert scores["map_at_r"].interval == (1.0, 1.0)
    assert [name for name, one in scores.items() if one.interval] == ["map_at_r"]


def test_identification_scores__by_hand_for_a_wrong_neighbour_and_cluster():
    wrong = answers()
    wrong["neighbours"][0] = [1, 2]  # the first is of the other model: AP = (1/2)/2
    wrong["neighbours"][4] = [0, 3]  # the second is: AP = 1/2
    wrong["clusters"] = np.array([0, 1, 0, 1, 1, 1], np.int32)
    scores = tasks.identification_scores(wrong, TRUTH, 0)
    assert scores["map_at_r"].value == pytest.approx(((0.25 + 1 + 0.5) / 3 + 1) / 2)
    assert scores["rank1"].value == pytest.approx((2 / 3 + 1) / 2)
    assert scores["purity"].value == pytest.approx((1 + 3 / 4) / 2)
    assert scores["ari"].value == pytest.approx(adjusted_rand_score(TRUTH.model, wrong["clusters"]))
    by_model = tasks.identification_by_model(wrong, TRUTH)
    np.testing.assert_allclose(by_model, [(0.25 + 1 + 0.5) / 3, 1])


def test_identification_scores__an_infinite_margin_is_none():
    found = answers() | {"margin": np.array([np.inf, 0.0])}
    assert tasks.identification_scores(found, TRUTH, 0)["margin"] == Score(None)


def test_ordering_answers__asks_for_each_model_once_with_its_rows_as_seen():
    asked = []

    def backwards(rows):
        asked.append(rows.tolist())
        return np.arange(len(rows))[::-1]

    found = tasks.ordering_answers(backwards, TRUTH)
    assert asked == [[0, 2, 4], [1, 3, 5]]
    assert found["order"].tolist() == [4, 2, 0, 5, 3, 1]


def test_ordering_scores__by_hand():
    found = answers(order=lambda rows: np.array([1, 0, 2]) if rows[0] == 0 else np.arange(3))
    # Model 4 in the order 2, 0, 4: epochs 1, 2, 3. Model 9 in the order 1, 3, 5: epochs 1, 3, 2.
    scores = tasks.ordering_scores(found, TRUTH, 0)
    assert scores["kendall_tau"].value == pytest.approx((1 + 1 / 3) / 2)
    assert scores["ordered_pairs"].value == pytest.approx((1 + 0) / 2)
    assert scores["ordered_initial"].value == pytest.approx((3 + 1) / 2)
    low, high = scores["kendall_tau"].interval
    assert 1 / 3 <= low < high <= 1


def test_order_by_linkage__puts_early_large_steps_first():
    steps = np.array([8.0, 4.0, 2.0, 1.0, 0.5])
    places = np.concatenate([[0], np.cumsum(steps)])
    rng = np.random.default_rng(0)
    shuffle = rng.permutation(6)
    distances = np.abs(np.subtract.outer(places[shuffle], places[shuffle]))
    order = shuffle[tasks.order_by_linkage(distances, rng)]
    assert order[:4].tolist() == [0, 1, 2, 3]  # the last two share a height
    assert sorted(order[4:]) == [4, 5]


# --- answers from a file -------------------------------------------------------------------------


def test_check_answers__accepts_what_methods_answer():
    tasks.check_answers(answers())


def changed(name, place, value):
    def change(found):
        found[name] = found[name].copy()
        found[name][place] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.pop("order"), "expected the arrays model, epoch"),
        (lambda a: a.update(more=a["order"]), "expected the arrays model, epoch"),
        (lambda a: a.update(model=a["model"].astype(float)), r"model: got float64 \(6,\)"),
        (lambda a: a.update(model=a["model"][:, None]), r"model: got int32 \(6, 1\)"),
        (lambda a: a.update(model=a["model"][:0]), r"epoch: got int16 \(6,\), expected i \(0,\)"),
        (lambda a: a.update(neighbours=a["neighbours"][:, :1]), r"neighbours: got int32 \(6, 1\)"),
        (lambda a: a.update(heights=a["heights"].astype(int)), "heights: got int64"),
        (changed("neighbours", (0, 1), 4), "neighbours: must be different rows"),
        (changed("neighbours", (0, 0), 0), "neighbours: must be different rows"),
        (changed("neighbours", (0, 0), 6), "neighbours: must be different rows"),
        (changed("neighbours", (0, 0), -1), "neighbours: must be different rows"),
        (changed("clusters", 0, 7), "clusters: expected 2, one for each model"),
        (changed("clusters", slice(None), 1), "clusters: expected 2, one for each model"),
        (changed("epoch", 0, 1), "epoch: a model has the same epoch twice"),
        (changed("order", 0, 4), "order: must hold the rows of each model"),
        (lambda a: a.update(order=a["order"][::-1]), "order: must hold the rows of each model"),
        (lambda a: a.update(order=np.full(6, 10**6)), "order: must hold the rows of each model"),
    ],
)
def test_check_answers__refuses_what_no_method_can_answer(change, message):
    found = answers()
    change(found)
    with pytest.raises(ValueError, match=message):
        tasks.check_answers(found)


# --- the evaluator -------------------------------------------------------------------------------


def test_evaluator_digest__changes_with_any_of_the_code_that_computes_scores(tmp_path, monkeypatch):
    source = tasks.files("wsbench")
    before = wsbench.evaluator_digest()
    assert before == wsbench.evaluator_digest()
    for name in tasks._EVALUATOR:
        copy = tmp_path / name
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes((source / name).read_bytes())
    monkeypatch.setattr(tasks, "files", lambda package: tmp_path)
    assert wsbench.evaluator_digest() == before
    for name in tasks._EVALUATOR:
        copy = tmp_path / name
        text = copy.read_bytes()
        copy.write_bytes(text.replace(b"return", b"return ", 1))
        assert wsbench.evaluator_digest() != before, name
        copy.write_bytes(text)


def test_evaluator_digest__covers_every_module_that_scores_go_through():
    """But for seeding, whose bits a test of its own holds, and the list of metrics."""
    source = tasks.files("wsbench")
    imported = set()
    for name in tasks._EVALUATOR:
        for node in ast.walk(ast.parse((source / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("wsbench."):
                imported.add(node.module)
    covered = {f"wsbench.{name[:-3].replace('/', '.')}" for name in tasks._EVALUATOR}
    assert imported - covered == {"wsbench.seeding"}
    metrics = {f"metrics/{path.name}" for path in (source / "metrics").glob("*.py")}
    assert metrics - {"metrics/__init__.py"} <= set(tasks._EVALUATOR)
