import numpy as np
import pytest

from wsbench.networks.checkpoints import Labels
from wsbench.records.answers import pack_answers, unpack_answers
from wsbench.storage.npz import pack, unpack
from wsbench.tasks.ground_truth import GroundTruth

TRUTH = GroundTruth(
    Labels(np.array([4, 4, 9, 9]), np.array([1, 2, 1, 2])), np.array([4, 4, 7, 7, 9, 9])
)
ANSWERS = {
    "identification/none": {
        "relevant": np.full((4, 1), 128, np.uint8),
        "neighbours": np.array([[1], [0], [3], [2]], np.uint8),
        "clusters": np.array([0, 0, 1, 1], np.uint8),
        "margin": np.array([2.0, 1.0]),
    },
    "ordering/int8": {"order": np.array([1, 0, 2, 3], np.uint8)},
    "retrieval/none": {
        "found": np.array([[4, 4], [4, 7], [9, 9], [9, 9]], np.uint8),
        "near": np.arange(8, dtype=np.uint8).reshape(2, 4),
    },
}


def packed(change=lambda arrays: None):
    arrays = unpack(pack_answers(ANSWERS, {"standard": TRUTH}))
    change(arrays)
    return pack(arrays)


def test_unpack_answers__gives_back_what_was_packed():
    answers, truths = unpack_answers(packed())
    assert set(answers) == set(ANSWERS)
    for task, arrays in ANSWERS.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(answers[task][name], array, strict=True)
    for name in ("model", "epoch", "gallery"):
        np.testing.assert_array_equal(getattr(truths["standard"], name), getattr(TRUTH, name))


def test_pack_answers__the_same_answers_are_the_same_bytes():
    assert packed() == packed()


def setting(**arrays):
    return lambda found: found.update({name.replace("__", "/"): a for name, a in arrays.items()})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (setting(ordering__none__order=np.arange(3, dtype=np.uint8)), "ordering/none: order: must"),
        (setting(ordering__none__order=np.arange(4.0)), "ordering/none: expected the arrays"),
        (setting(ordering__none__more=np.arange(4)), "ordering/none: expected the arrays"),
        (
            setting(guessing__none__order=np.arange(4)),
            "guessing/none: not an entry with these labels",
        ),
        (setting(ordering__none__all__order=np.arange(4)), "not an entry with these labels"),
        (lambda a: a.pop("labels/standard/epoch"), "labels/standard: expected the whole numbers"),
        (setting(labels__standard__epoch=np.arange(4.0)), "expected the whole numbers"),
        (setting(labels__standard__epoch=np.arange(3)), "expected a model and an epoch for every"),
        (setting(labels__standard__epoch=np.array([1, 1, 1, 2])), "must be ascending by model"),
        (setting(labels__standard__model=np.array([9, 9, 4, 4])), "must be ascending by model"),
        (setting(labels__standard__gallery=np.array([4, 7])), "a model is not in the gallery"),
    ],
)
def test_unpack_answers__refuses_what_no_method_can_answer(change, message):
    with pytest.raises(ValueError, match=message):
        unpack_answers(packed(change))


def test_unpack_answers__refuses_every_truncation():
    data = packed()
    for length in range(0, len(data), 97):
        with pytest.raises(ValueError, match="not a whole"):
            unpack_answers(data[:length])
