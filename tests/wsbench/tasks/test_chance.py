"""The level of chance of each task is the mean score of random distances."""

import numpy as np
import pytest

import wsbench
from support import adjacency
from wsbench.networks.checkpoints import Labels
from wsbench.tasks import (
    identification,
    ordering,
    precedence,
    relevance,
    retrieval,
    sparse_identification,
)
from wsbench.tasks.ground_truth import GroundTruth


def trajectories(*sizes):
    """Return the ground truth of models of these sizes; a third model is in the gallery alone."""
    models = np.repeat(np.arange(len(sizes)), sizes)
    epochs = np.concatenate([np.arange(1, size + 1) for size in sizes])
    return GroundTruth(Labels(models, epochs), np.r_[models, np.full(4, len(sizes))])


def random_distances(rng, n):
    distances = rng.random((n, n))
    return np.triu(distances, 1) + np.triu(distances, 1).T


def random_identification(rng, truth):
    n = len(truth.model)
    return identification.answers(random_distances(rng, n), truth, rng.permutation(n), 0)


def random_ordering(rng, truth):
    return ordering.answers(
        lambda rows: rng.permutation(len(rows)), truth, rng.permutation(len(truth.model))
    )


def random_retrieval(rng, truth):
    n, n_gallery = len(truth.queries), len(truth.gallery)
    shown_as = rng.permutation(n), rng.permutation(n_gallery)
    return retrieval.answers(rng.random((n, n_gallery)), truth, shown_as, 0)


def random_sparse_identification(rng, truth):
    def bits(rows):
        few = truth.subset(rows)
        distances = random_distances(rng, len(rows))
        order = rng.permutation(len(rows))
        return relevance.packed(relevance.neighbours(distances, few, order, 0), few)

    return {"relevant": bits(truth.sparse), "relevant_ends": bits(truth.ends)}


def random_precedence(rng, truth):
    n_pairs = len(precedence.pairs(truth))
    return {"correct": 2 * rng.integers(0, 2, n_pairs, dtype=np.uint8)}


def random_adjacency(rng, truth):
    distances = random_distances(rng, len(truth.model))
    distances[truth.model[:, None] != truth.model] = np.inf
    np.fill_diagonal(distances, np.inf)
    return {"nearest": np.argmin(distances, axis=1)}


@pytest.mark.parametrize("sizes", [(2, 2), (6, 6, 6), (3, 5, 8)])
@pytest.mark.parametrize(
    ("task", "random_answers"),
    [
        (identification, random_identification),
        (ordering, random_ordering),
        (sparse_identification, random_sparse_identification),
        (precedence, random_precedence),
        (retrieval, random_retrieval),
        (adjacency, random_adjacency),
    ],
)
def test_chance__is_the_mean_score_of_random_answers(task, random_answers, sizes):
    truth, rng = trajectories(*sizes), np.random.default_rng(0)
    scores = []
    for _ in range(400):
        answers = random_answers(rng, truth)
        task.check(answers, truth)
        scores.append(task.by_model(answers, truth).mean())
    standard_error = np.std(scores) / np.sqrt(len(scores))
    assert np.mean(scores) == pytest.approx(task.chance(truth), abs=4 * standard_error)
    assert standard_error < 0.04


@pytest.mark.parametrize("name", wsbench.TASKS)
def test_chance__lies_in_the_range_of_the_score_and_below_the_best(name):
    low, high = wsbench.primary_score(name).range
    assert low <= wsbench.TASKS[name].chance(trajectories(6, 6, 6)) < high


def test_chance__of_a_published_zoo_is_that_of_its_counts():
    """Ten test models of fifty epochs: 49 of 499 others are of the same model."""
    zoo = wsbench.published_zoos()["digits-mlp-v1"]
    truth = wsbench.published_truth(zoo, "standard")
    assert identification.chance(truth) == pytest.approx(0.0176, abs=5e-5)
    assert ordering.chance(truth) == pytest.approx(0.0780, abs=5e-5)
    assert precedence.chance(truth) == 0
