"""A trial: one zoo's checkpoints as a method gets to see them, under a protocol and with a seed.

The method sees rows in an order that depends only on their content and the seed (they are sorted
by a hash), so that neither how a zoo numbers its models nor how its rows are sorted can change a
score, and row order tells the method nothing.
"""

import hashlib
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from wsbench.errors import ZooError
from wsbench.methods.invariance import distances_before_and_after, holds
from wsbench.methods.protocol import LoadedMethod
from wsbench.methods.session import ask_distances, ask_order
from wsbench.networks.checkpoints import Labels
from wsbench.networks.layout import Layout
from wsbench.networks.perturbations import Perturbations
from wsbench.networks.symmetries import ACTIONS
from wsbench.seeding import generator
from wsbench.tasks import Answers, GroundTruth, Rows, identification, ordering, retrieval
from wsbench.zoo.zoo import Zoo

T = TypeVar("T")
Floats = npt.NDArray[np.float32]
Distances = npt.NDArray[np.float64]

_N_MEASURED = 20  # checkpoints on which invariances are measured


class BlindedZoo:
    """What is asked of every method, on one zoo under one protocol with one seed.

    Parameters
    ----------
    zoo
        With models to fit on and models to ask about.
    protocol
        ``"standard"``: fitted on train models, asked about test models; ``"all"``: all for both.
    seed
        For shuffles, ties, perturbations, and the method's own ``rng``.

    Raises
    ------
    ZooError
        If the zoo has no train or no test models, or no epoch after initialisation.

    Attributes
    ----------
    truth
        The labels of the test checkpoints, by model and epoch, and of the gallery.
    seen
        The row of `truth` that each test checkpoint is, in the order in which they are seen.
    """

    def __init__(self, zoo: Zoo, protocol: str, seed: int) -> None:
        splits = ("train", "test") if protocol == "standard" else ("all", "all")
        train, test = (_rows(zoo, split) for split in splits)
        every = _rows(zoo, "all")
        self.truth = GroundTruth(zoo.model[test], zoo.epoch[test])
        everything = GroundTruth(zoo.model[every], zoo.epoch[every])
        self._gallery = every[everything.sample(self.truth.n_queries_each)]
        self.truth = GroundTruth(self.truth.model, self.truth.epoch, zoo.model[self._gallery])
        self._zoo = zoo
        self._seed = seed
        self._train = train[self._shuffle(zoo.weights[train])]
        self.seen = self._shuffle(zoo.weights[test])
        self._test = test[self.seen]
        self._transforms = Perturbations(zoo.weights[self._train])

    def answers(
        self, loaded: LoadedMethod, perturbation: str, questions: tuple[str, ...]
    ) -> tuple[dict[str, Answers], dict[str, float]]:
        """Fit a method, ask it, and return its answers by question, and the seconds that took.

        Train and test checkpoints are transformed before the method sees them. For retrieval it is
        fitted on train checkpoints as they are, as it is before anybody brings a changed copy.
        """
        clock = _Clock()
        found: dict[str, Answers] = {}
        train = self.transformed(perturbation, "train")
        test = self.transformed(perturbation, "test")
        if {"identification", "ordering"} & set(questions):
            self._fit(loaded, train, clock)
            distances = clock("embed", lambda: self._distances(loaded, test))
            if "identification" in questions:
                found["identification"] = identification.answers(
                    distances, self.truth, self.seen, self._seed
                )
            if "ordering" in questions:
                order_of = self._order_of(loaded, test, distances, clock)
                found["ordering"] = ordering.answers(order_of, self.truth, self.seen)
        if "retrieval" in questions:
            self._fit(loaded, self._zoo.weights[self._train], _Clock())
            found["retrieval"] = self._retrieval(loaded, test)
        return found, clock.seconds

    def transformed(self, perturbation: str, split: str) -> Floats:
        """Return the train or test checkpoints after a perturbation, in the order they are seen."""
        rows = self._train if split == "train" else self._test
        rng = generator(self._seed, "transform", perturbation, split)
        change = self._transforms.get(perturbation)
        return change(self._zoo.weights[rows], self._zoo.layout, rng)

    @property
    def train_labels(self) -> Labels:
        """The labels of the train checkpoints, in the order in which they are seen."""
        return Labels(self._zoo.model[self._train], self._zoo.epoch[self._train])

    def at_last_epoch(self, weights: Floats) -> Floats:
        """Return, of the test checkpoints in the order they are seen, those of the last epoch."""
        last = np.array([rows[-1] for rows in self.truth.rows_by_model()])
        networks: Floats = weights[np.argsort(self.seen)[last]]
        return networks

    def invariances(self, loaded: LoadedMethod) -> tuple[str, ...]:
        """Return the symmetries of the networks that a method, once fitted, does not see."""
        weights = self._zoo.weights[self._test[:_N_MEASURED]]

        def distances_of(weights: Floats, layout: Layout) -> Distances:
            return ask_distances(loaded, loaded.view(weights, layout, self._zoo.probe_inputs))

        held = []
        for symmetry in ACTIONS:
            try:
                before, after = distances_before_and_after(
                    symmetry, distances_of, weights, self._zoo.layout, self._zoo.probe_inputs
                )
            except Exception:  # it has answered all that was asked, and fails on another activation
                continue
            if holds(before, after):
                held.append(symmetry)
        return tuple(held)

    def _fit(self, loaded: LoadedMethod, train: Floats, clock: "_Clock") -> None:
        view = loaded.view(train, self._zoo.layout, self._zoo.probe_inputs, self.train_labels)
        clock("fit", lambda: loaded.fit(view, generator(self._seed, "method")))

    def _distances(self, loaded: LoadedMethod, weights: Floats) -> Distances:
        return ask_distances(loaded, loaded.view(weights, self._zoo.layout, self._zoo.probe_inputs))

    def _order_of(
        self, loaded: LoadedMethod, test: Floats, distances: Distances, clock: "_Clock"
    ) -> Callable[[Rows], Rows]:
        if not hasattr(loaded.method, "order"):
            rng = generator(self._seed, "ties", "order")
            return lambda rows: ordering.order_by_linkage(distances[np.ix_(rows, rows)], rng)

        def by_method(rows: Rows) -> Rows:
            view = loaded.view(test[rows], self._zoo.layout, self._zoo.probe_inputs)
            return clock("order", lambda: ask_order(loaded, view))

        return by_method

    def _retrieval(self, loaded: LoadedMethod, test: Floats) -> Answers:
        queries = test[np.argsort(self.seen)[self.truth.queries]]
        together = np.concatenate([queries, self._zoo.weights[self._gallery]])
        shuffle = self._shuffle(together)
        distances = self._distances(loaded, together[shuffle])
        is_query = shuffle < len(queries)
        between = distances[np.ix_(is_query, ~is_query)]
        seen = (shuffle[is_query], shuffle[~is_query] - len(queries))
        return retrieval.answers(between, self.truth, seen, self._seed)

    def _shuffle(self, weights: Floats) -> Rows:
        """Return an order of rows by a hash of their content."""
        salt = self._seed.to_bytes(16, "little", signed=True)
        keys = [hashlib.sha256(salt + row.tobytes()).digest() for row in weights]
        # The order of rows that are equal to the last bit must not tell either.
        ties = generator(self._seed, "shuffle").random(len(weights))
        return np.array(sorted(range(len(keys)), key=lambda i: (keys[i], ties[i])), np.intp)


class _Clock:
    """Wall time of what a method does."""

    def __init__(self) -> None:
        self.seconds = {"fit": 0.0, "embed": 0.0, "order": 0.0}

    def __call__(self, part: str, call: Callable[[], T]) -> T:
        start = time.perf_counter()
        result = call()
        self.seconds[part] += time.perf_counter() - start
        return result


def _rows(zoo: Zoo, split: str) -> Rows:
    """Return the zoo's rows of a split, epochs 1 to the last, by model and epoch."""
    rows = np.arange(len(zoo.model)) if split == "all" else zoo.rows(split)
    rows = rows[zoo.epoch[rows] > 0]
    if len(rows) == len(np.unique(zoo.model[rows])):
        raise ZooError(
            f"zoo {zoo.id!r} has no two checkpoints of a {split} model after epoch 0, and methods"
            " are fitted on train models and scored on test models; five models and two epochs are"
            " enough"
        )
    return rows[np.lexsort((zoo.epoch[rows], zoo.model[rows]))]
