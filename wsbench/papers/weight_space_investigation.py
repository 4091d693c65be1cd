"""Schürholt and Borth's investigation of the weight space: the paper protocol, and a fair one.

All checkpoints of epochs 1 to K are clustered by single linkage into as many clusters as there are
models, once in the full weight space and once on the leading k right singular vectors (uncentred)
for each k. In each cluster the checkpoints of its dominant model are put in order by decreasing
linkage height.

The heights have many ties: every pair of mutual nearest neighbours shares one. The paper protocol
breaks them by input order, which is the order of epochs, so part of the answer leaks into it. The
fair protocol breaks them at random, on the same clusters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsbench.metrics import clustering, ordering
from wsbench.metrics.distances import pairwise_euclidean
from wsbench.metrics.linkage import cut, leaf_heights, single_linkage
from wsbench.metrics.seriation import spectral_order
from wsbench.networks.directions import singular_directions
from wsbench.seeding import generator
from wsbench.storage.templates import render
from wsbench.typing import Doubles, Floats, Indices, Mask, Reals
from wsbench.zoo.zoo import Zoo

PAPERS = ("weight-space-investigation",)
SVD_DIMENSIONS = (500, 100, 50, 25, 10, 5)


@dataclass(frozen=True)
class Row:
    """The paper's measurements in one space.

    Attributes
    ----------
    purity
        Mean over clusters of the dominant model's share.
    ordered_initial
        Epochs in the right place from the first on, mean over clusters.
    ordered_pairs
        Share of a model's K − 1 steps from one epoch to the next that stand as neighbours in the
        order, mean over clusters.
    """

    purity: float
    ordered_initial: float
    ordered_pairs: float


HEADINGS = (
    "space", "purity: paper", "ours",
    "initial: paper", "ours", "fair",
    "pairs: paper", "ours", "fair",
)  # fmt: skip

# Tables 2 and 3 of the paper, by the zoo that follows it.
PUBLISHED = {
    "mnist-mlp-v1": {
        "weights": Row(1.0, 4.512, 0.357),
        "svd-500": Row(1.0, 4.632, 0.339),
        "svd-100": Row(1.0, 4.532, 0.325),
        "svd-50": Row(1.0, 4.212, 0.303),
        "svd-25": Row(1.0, 3.684, 0.273),
        "svd-10": Row(1.0, 2.916, 0.227),
        "svd-5": Row(0.843, 2.038, 0.177),
    },
    "mnist-cnn-v1": {
        "weights": Row(1.0, 20.184, 0.693),
        "svd-500": Row(1.0, 21.848, 0.732),
        "svd-100": Row(1.0, 18.632, 0.689),
        "svd-50": Row(1.0, 17.728, 0.675),
        "svd-25": Row(1.0, 15.852, 0.643),
        "svd-10": Row(0.896, 12.094, 0.568),
        "svd-5": Row(0.465, 8.175, 0.471),
    },
}


@dataclass(frozen=True)
class Reproduction:
    """The paper's measurements on one zoo.

    Attributes
    ----------
    zoo_id, zoo_digest, seed
        The zoo that was measured, and the seed of the fair protocol's ties.
    published
        The paper's figures by space; empty for a zoo that follows no table of it.
    paper, fair
        Ours by space, with ties in input order and at random.
    seriation_pairs, seriation_tau
        Ordered pairs and Kendall's τ of spectral seriation, given which checkpoints are of one
        model, in the weight space, means over models.
    """

    zoo_id: str
    zoo_digest: str
    seed: int
    published: dict[str, Row]
    paper: dict[str, Row]
    fair: dict[str, Row]
    seriation_pairs: float
    seriation_tau: float


def reproduce(zoo: Zoo, *, seed: int = 0) -> Reproduction:
    """Measure a zoo with the paper protocol and with the fair one.

    Parameters
    ----------
    zoo
        Any zoo; for those in `PUBLISHED` the paper has figures. All its models are used.
    seed
        For the fair protocol's ties.

    Examples
    --------
    >>> reproduce(wsbench.load_zoo("mnist-mlp-v1")).paper["weights"].purity  # doctest: +SKIP
    1.0
    """
    rows = zoo.rows(epochs=np.unique(zoo.epoch)[1:])
    model, rank = zoo.model[rows], np.unique(zoo.epoch[rows], return_inverse=True)[1]
    paper, fair = {}, {}
    seriation: list[tuple[float, float]] = []
    for space, embedding in _spaces(zoo.weights[rows]):
        distances = pairwise_euclidean(embedding)
        if space == "weights":
            seriation = [_seriated(distances, model == m, rank) for m in np.unique(model)]
        linkage = single_linkage(distances, rng=generator(seed, "ties", space, "linkage"))
        clusters = cut(linkage, len(np.unique(model)))
        heights = leaf_heights(linkage)
        del distances  # 1.25 GB at 12,500 checkpoints: gone before the next space needs as much
        in_input_order = np.argsort(-heights, kind="stable")
        at_random = ordering.by_decreasing(heights, rng=generator(seed, "ties", space, "order"))
        paper[space] = _measure(in_input_order, clusters, model, rank)
        fair[space] = _measure(at_random, clusters, model, rank)
    pairs, tau = np.mean(seriation, axis=0).tolist()
    return Reproduction(
        zoo.id, zoo.content_digest, seed, PUBLISHED.get(zoo.id, {}), paper, fair, pairs, tau
    )


def _spaces(weights: Floats) -> Iterator[tuple[str, Reals]]:
    """Yield the weight space, then its leading singular directions, each with its name."""
    yield "weights", weights
    projected = weights @ singular_directions(weights)[:, : SVD_DIMENSIONS[0]]  # serves every k
    for k in SVD_DIMENSIONS:
        yield f"svd-{k}", projected[:, :k]


def _measure(
    order: Indices,
    clusters: Indices,
    model: NDArray[np.int32],
    rank: Indices,
) -> Row:
    """Measure the order of all rows, read cluster by cluster, dominant models only."""
    n_clusters, n_steps = int(clusters.max()) + 1, int(rank.max())
    initial, pairs = [], []
    for cluster in range(n_clusters):
        rows = order[clusters[order] == cluster]
        models, counts = np.unique(model[rows], return_counts=True)
        ranks = rank[rows[model[rows] == models[counts.argmax()]]]
        initial.append(ordering.ordered_initial(ranks))
        pairs.append(np.sum(np.diff(ranks) == 1) / n_steps)
    return Row(clustering.purity(model, clusters), float(np.mean(initial)), float(np.mean(pairs)))


def _seriated(distances: Doubles, of_model: Mask, rank: Indices) -> tuple[float, float]:
    """Return ordered pairs and τ of one model's checkpoints, put in order by spectral seriation."""
    rows = np.flatnonzero(of_model)
    order = spectral_order(distances[np.ix_(rows, rows)])
    return ordering.ordered_pairs(rank[rows][order]), ordering.kendall_tau(rank[rows][order])


def table(result: Reproduction) -> list[list[str]]:
    """Return the cells of a zoo's table, a row for each space, under `HEADINGS`."""
    rows = []
    for space, ours in result.paper.items():
        theirs, fair = result.published.get(space), result.fair[space]
        cells = [space]
        for name, decimals in (("purity", 3), ("ordered_initial", 2), ("ordered_pairs", 3)):
            published = f"{getattr(theirs, name):.{decimals}f}" if theirs else "–"
            cells += [published, f"{getattr(ours, name):.{decimals}f}"]
            if name != "purity":
                cells.append(f"{getattr(fair, name):.{decimals}f}")
        rows.append(cells)
    return rows


def seriation(result: Reproduction) -> str:
    """Return a sentence that sets spectral seriation beside linkage."""
    best = max(row.ordered_pairs for row in result.fair.values())
    return (
        f"Spectral seriation of each model's checkpoints finds {result.seriation_pairs:.3f} of the"
        f" pairs (tau {result.seriation_tau:.3f}); linkage, fairly, at best {best:.3f}."
    )


def page(results: Sequence[Reproduction], *, date: str, version: str) -> str:
    """Return a page of Markdown with the tables of some zoos.

    Parameters
    ----------
    results
        One per zoo.
    date, version
        The ISO date of the measurement, and the version of wsbench that made it.
    """
    return render(
        "wsbench.papers",
        "weight_space_investigation.md",
        results=results,
        headings=HEADINGS,
        table=table,
        seriation=seriation,
        date=date,
        version=version,
    )
