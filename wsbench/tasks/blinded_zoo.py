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
        Checkpoints of all models as written, for retrieval.
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

    Raises
    ------
    ZooError
        If the zoo has no train or no test models, or no epoch after initialisation.

    Attributes
    ----------
    zoo
        The zoo itself.
    truth
        The labels of the test checkpoints, by model and epoch, and of the gallery.
    shown_order
        The row of `truth` that each test checkpoint is, in the order in which they are seen.
    """

    def __init__(self, zoo: Zoo, protocol: str, seed: int) -> None:
        splits = ("train", "test") if protocol == "standard" else ("all", "all")
        train, test = (_rows(zoo, split) for split in splits)
        every = _rows(zoo, "all")
        asked = GroundTruth(_labels(zoo, test))
        self._gallery = every[GroundTruth(_labels(zoo, every)).sample(asked.n_queries_each)]
        self.truth = GroundTruth(asked.labels, zoo.model[self._gallery])
        self.zoo = zoo
        self.seed = seed
        self._train = train[order_by_content(zoo.weights[train], seed)]
        self.shown_order = order_by_content(zoo.weights[test], seed)
        self._test = test[self.shown_order]
        self._perturbations = Perturbations(zoo.weights[self._train])

    def under(self, perturbation: str) -> BlindedCheckpoints:
        """Return the checkpoints under a perturbation."""
        return BlindedCheckpoints(
            train=self._perturbed(perturbation, "train", self._train),
            test=self.test(perturbation),
            layout=layout_after(perturbation, self.zoo.layout),
            clean_train=self.zoo.weights[self._train],
            train_labels=_labels(self.zoo, self._train),
            gallery=self.zoo.weights[self._gallery],
            truth=self.truth,
            shown_order=self.shown_order,
            seed=self.seed,
        )

    def test(self, perturbation: str) -> Floats:
        """Return the test checkpoints under a perturbation, in the order they are seen."""
        return self._perturbed(perturbation, "test", self._test)

    def at_last_epoch(self, weights: Floats) -> Floats:
        """Return the rows of the last epoch from test checkpoints in the order they are seen."""
        last = np.array([rows[-1] for rows in self.truth.rows_by_model()])
        networks: Floats = weights[np.argsort(self.shown_order)[last]]
        return networks

    def _perturbed(self, perturbation: str, split: str, rows: Rows) -> Floats:
        # The words are part of the seed: other words would change every score.
        rng = generator(self.seed, "transform", perturbation, split)
        perturb = self._perturbations.get(perturbation)
        return perturb(self.zoo.weights[rows], self.zoo.layout, rng)


def order_by_content(weights: Floats, seed: int) -> Rows:
    """Return an order of rows by a salted hash of their content, ``(n,)``."""
    salt = seed.to_bytes(16, "little", signed=True)
    keys = [hashlib.sha256(salt + row.tobytes()).digest() for row in weights]
    # Equal rows are ordered at random, so that their order carries no information either.
    ties = generator(seed, "shuffle").random(len(weights))
    return np.array(sorted(range(len(keys)), key=lambda i: (keys[i], ties[i])), np.intp)


def _labels(zoo: Zoo, rows: Rows) -> Labels:
    return Labels(zoo.model[rows], zoo.epoch[rows])


def _rows(zoo: Zoo, split: str) -> Rows:
    """Return the zoo's rows of a split, epochs 1 to the last, by model and epoch."""
    rows = np.arange(len(zoo.model)) if split == "all" else zoo.rows(split)
    rows = rows[zoo.epoch[rows] > 0]
    if len(rows) == len(np.unique(zoo.model[rows])):
        raise ZooError(
            f"zoo {zoo.id!r} has no two checkpoints of a {split} model after epoch 0; methods"
            " are fitted on train models and scored on test models, so build at least five models"
            " and two epochs"
        )
    return rows[np.lexsort((zoo.epoch[rows], zoo.model[rows]))]
