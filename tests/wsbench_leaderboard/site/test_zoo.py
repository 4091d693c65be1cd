import json

import numpy as np
import pytest

import wsbench
from wsbench_leaderboard.board.collect import collect
from wsbench_leaderboard.site.boards import boards
from wsbench_leaderboard.site.facts import QUANTILES, read_facts, write_facts, zoo_facts
from wsbench_leaderboard.site.zoo import zoo_page


def test_zoo_facts__are_quantiles_over_models_at_each_epoch(made_up_zoo):
    facts = zoo_facts(made_up_zoo)
    by_model = made_up_zoo.test_accuracy.reshape(10, 5)
    assert facts["test_accuracy"]["epochs"] == [0, 1, 2, 3, 4]
    middle = [row[QUANTILES.index(0.5)] for row in facts["test_accuracy"]["values"]]
    np.testing.assert_allclose(middle, np.median(by_model, axis=0), rtol=1e-5)
    steps = np.diff(made_up_zoo.weights.reshape(10, 5, -1).astype(float), axis=1)
    lengths = np.sqrt((steps**2).sum(axis=2))
    assert facts["step_length"]["epochs"] == [1, 2, 3, 4]
    longest = [row[-1] for row in facts["step_length"]["values"]]
    np.testing.assert_allclose(longest, lengths.max(axis=0), rtol=1e-5)


def test_facts__are_read_as_they_were_written_for_this_content_only(made_up_zoo, tmp_path):
    path = write_facts(made_up_zoo, tmp_path / "zoos")
    assert path.name == "made-up-v1.json"
    first = path.read_bytes()
    assert write_facts(made_up_zoo, tmp_path / "zoos").read_bytes() == first
    found = read_facts(tmp_path / "zoos", "made-up-v1", made_up_zoo.content_digest)
    assert found.test_accuracy.epochs == (0, 1, 2, 3, 4)
    assert read_facts(tmp_path / "zoos", "made-up-v1", "sha256:other") is None
    assert read_facts(tmp_path / "zoos", "other-v1", "sha256:other") is None
    assert read_facts(tmp_path, "zoos/made-up-v1", made_up_zoo.content_digest) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda facts: facts.update(format=2),
        lambda facts: facts.pop("step_length"),
        lambda facts: facts["step_length"]["values"][0].pop(),
        lambda facts: facts["step_length"].update(epochs=["x"]),
        lambda facts: facts["test_accuracy"]["values"][0].__setitem__(0, float("nan")),
        lambda facts: facts["test_accuracy"].update(epochs=[], values=[]),
    ],
)
def test_facts__that_are_damaged_are_refused(made_up_zoo, tmp_path, damage):
    path = write_facts(made_up_zoo, tmp_path)
    facts = json.loads(path.read_text())
    damage(facts)
    path.write_text(json.dumps(facts))
    with pytest.raises(wsbench.FormatError, match=r"made-up-v1\.json: not the facts about a zoo"):
        read_facts(tmp_path, "made-up-v1", made_up_zoo.content_digest)


def test_zoo__shows_accuracy_after_transforms_and_charts_where_there_are_facts(
    records, make_zoo, tmp_path
):
    board = boards(collect(records))[0]
    page = zoo_page(board, tmp_path / "zoos")
    assert [(row.perturbation, row.accuracy, row.change) for row in page.accuracy] == [
        ("none", "0.900", "–"), ("svd-5", "0.100", "−0.800"), ("int8", "0.850", "−0.050"),
    ]  # fmt: skip
    assert not page.charts
    assert not page.is_published
    write_facts(wsbench.load_zoo(make_zoo(models=30)), tmp_path / "zoos")
    titles = [chart.title for chart in zoo_page(board, tmp_path / "zoos").charts]
    assert titles == ["Test accuracy by epoch", "Step length by epoch"]


def test_zoo__shows_what_is_published_about_one_of_this_content_only(board, published):
    (found,) = boards(collect(board))
    page = zoo_page(found, board)
    assert page.is_published
    assert page.title == "random walks"
    assert page.recipe.startswith('id = "made-up-v1"')
    assert ("Checkpoints", "50") in page.facts
