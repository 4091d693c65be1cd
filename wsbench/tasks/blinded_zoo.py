"""Blinded zoo: checkpoints as methods see them, under a protocol and with a seed.

Rows are sorted by a salted hash of their content. Neither the zoo's row order nor its model numbers
can change a score, and the order carries no information.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wsbench.errors import ZooError
from wsbench.networks.checkpoints import Labels
from wsbench.networks.layout import Layout
from wsbench.networks.perturbations import Perturbations, layout_after
from wsbench.seeding import generator
from wsbench.tasks.ground_truth import GroundTruth, Rows
from wsbench.zoo.schema import SPLITS, TRAIN, VAL
from wsbench.zoo.zoo import Zoo

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class BlindedCheckpoints:
    """The checkpoints of a blinded zoo under one perturbation, and their labels.

    Attributes
    ----------
    train, test
        Perturbed weights, ``(n, n_parameters)``, in the order in which a method sees them.
    layout
        That of train and test. Where the perturbation changes it, a task that takes `clean_train`
        or `gallery` is not asked.
    clean_train
        The train checkpoints as written.
    train_labels
        Models and epochs of the train checkpoints.
    gallery
        Checkpoints of val and test models as written, for retrieval.
    truth
        The labels of the test checkpoints, by model and epoch, and of the gallery.
    shown_order
        The row of `truth` that each test checkpoint is.
    seed
        Seed of ties and shuffles.
    """

    train: Floats
    test: Floats
    layout: Layout
    clean_train: Floats
    train_labels: Labels
    gallery: Floats
    truth: GroundTruth
    shown_order: Rows
    seed: int


class BlindedZoo:
    """One zoo under one protocol with one seed, the same for every method.

    Parameters
    ----------
    zoo
        With models to fit on and models to ask about.
    protocol
        ``"standard"``: fit on train models, ask about test models; ``"all"``: all for both.
    seed
        For shuffles, ties and perturbations.
    fit_on
        Another zoo whose train models are fitted on, with networks of the same layout; None for the
        zoo itself.

    Raises
    ------
    ZooError
        If there are no train or no test models, no epoch after initialisation, or networks of two
        layouts.

    Attributes
    ----------
    zoo
        The zoo itself.
    truth
        The labels of the test checkpoints, by model and epoch, and of the gallery.
    shown_order
        The row of `truth` that each test checkpoint is, in the order in which they are seen.
    """

    def __init__(self, zoo: Zoo, protocol: str, seed: int, fit_on: Zoo | None = None) -> None:
        source = fit_on or zoo
        if source.layout != zoo.layout:
            raise ZooError(
                f"{source.id} and {zoo.id}: their networks have different layouts; a method can be"
                " fitted on one zoo and scored on another only where both have the same"
            )
        splits = ("train", "test") if protocol == "standard" else ("all", "all")
        train, test = _rows(source, splits[0]), _rows(zoo, splits[1])
        asked = GroundTruth(_labels(zoo, test))
        # No row that a method was fitted on, under the usual protocol: it could remember them.
        shown = test if protocol == "all" else _by_model(zoo, zoo.split != TRAIN)
        n_each = asked.n_queries_each
        in_gallery, self._gallery = _sample(zoo, shown, n_each)
        if protocol == "standard" and source is not zoo and not (zoo.split == VAL).any():
            # A fresh zoo has test models alone; a gallery of half the size would be easier.
            others, weights = _sample(source, _by_model(source, source.split == VAL), n_each)
            in_gallery = np.concatenate([in_gallery, others + np.int32(zoo.model.max() + 1)])
            self._gallery = np.concatenate([self._gallery, weights])
        self.truth = GroundTruth(asked.labels, in_gallery)
        self.zoo = zoo
        self.seed = seed
        self._train = train[order_by_content(source.weights[train], seed)]
        self._source = source
        self.shown_order = order_by_content(zoo.weights[test], seed)
        self._test = test[self.shown_order]
        self._perturbations = Perturbations(source.weights[self._train])

    def under(self, perturbation: str) -> BlindedCheckpoints:
        """Return the checkpoints under a perturbation."""
        return BlindedCheckpoints(
            train=self._perturbed(perturbation, "train", self._source, self._train),
            test=self.test(perturbation),
            layout=layout_after(perturbation, self.zoo.layout),
            clean_train=self._source.weights[self._train],
            train_labels=_labels(self._source, self._train),
            gallery=self._gallery,
            truth=self.truth,
            shown_order=self.shown_order,
            seed=self.seed,
        )

    def test(self, perturbation: str) -> Floats:
        """Return the test checkpoints under a perturbation, in the order they are seen."""
        return self._perturbed(perturbation, "test", self.zoo, self._test)

    def at_last_epoch(self, weights: Floats) -> Floats:
        """Return the rows of the last epoch from test checkpoints in the order they are seen."""
        last = np.array([rows[-1] for rows in self.truth.rows_by_model()])
        networks: Floats = weights[np.argsort(self.shown_order)[last]]
        return networks

    def _perturbed(self, perturbation: str, split: str, zoo: Zoo, rows: Rows) -> Floats:
        # The words are part of the seed: other words would change every score.
        rng = generator(self.seed, "transform", perturbation, split)
        perturb = self._perturbations.get(perturbation)
        return perturb(zoo.weights[rows], zoo.layout, rng)


def order_by_content(weights: Floats, seed: int) -> Rows:
    """Return an order of rows by a salted hash of their content, ``(n,)``."""
    salt = seed.to_bytes(16, "little", signed=True)
    keys = [hashlib.sha256(salt + row.tobytes()).digest() for row in weights]
    # Equal rows are ordered at random, so that their order carries no information either.
    ties = generator(seed, "shuffle").random(len(weights))
    return np.array(sorted(range(len(keys)), key=lambda i: (keys[i], ties[i])), np.intp)


def _sample(zoo: Zoo, rows: Rows, n_each: int) -> tuple[npt.NDArray[np.int32], Floats]:
    """Return models and weights of some of the rows: so many of each model."""
    chosen = rows[GroundTruth(_labels(zoo, rows)).sample(n_each)]
    return zoo.model[chosen], zoo.weights[chosen]


def _labels(zoo: Zoo, rows: Rows) -> Labels:
    return Labels(zoo.model[rows], zoo.epoch[rows])


def _rows(zoo: Zoo, split: str) -> Rows:
    """Return the zoo's rows of a split, epochs 1 to the last, by model and epoch."""
    rows = _by_model(zoo, split == "all" or zoo.split == SPLITS[split])
    if len(rows) == len(np.unique(zoo.model[rows])):
        raise ZooError(
            f"zoo {zoo.id!r} has no two checkpoints of a {split} model after epoch 0; methods"
            " are fitted on train models and scored on test models, so build at least five models"
            " and two epochs"
        )
    return rows


def _by_model(zoo: Zoo, keep: npt.NDArray[np.bool_] | bool) -> Rows:
    """Return the rows to keep, epochs 1 to the last, by model and epoch."""
    rows = np.flatnonzero(keep & (zoo.epoch > 0))
    return rows[np.lexsort((zoo.epoch[rows], zoo.model[rows]))]
