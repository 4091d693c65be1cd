"""Comparison of two records on the same models, entry by entry."""

from wsbench.errors import ZooError
from wsbench.metrics.ranking import Comparison, compare_scores
from wsbench.records.record import Record
from wsbench.records.rescoring import load_answers
from wsbench.tasks.catalogue import TASKS
from wsbench.tasks.scoring import primary_by_model


def compare(a: Record, b: Record, *, seed: int = 0) -> dict[str, Comparison]:
    """Compare the primary scores of two methods in every entry that both have.

    Scores are computed again from the answers.

    Parameters
    ----------
    a, b
        Records of the same zoo, from `load_record` or `save_record`.
    seed
        For sign flips that are drawn.

    Returns
    -------
    comparisons
        Entry, as ``"identification/permute"``, to the mean difference a − b over models, with its
        95 % interval, its p-value, and whether it is separable from 0.

    Raises
    ------
    ZooError
        If the records are of different zoos, one is of a method that failed, or no entry is shared.
    IntegrityError, FormatError
        As `rescore` raises them.

    Examples
    --------
    >>> a, b = (
    ...     wsbench.save_record(wsbench.evaluate(method, "digits-mlp-v1"))
    ...     for method in ("euclidean", "random")
    ... )
    >>> compare(a, b)["identification/none"].separable
    True
    """
    if a.content.zoo != b.content.zoo:
        raise ZooError(
            f"{a.path.name} is of {a.zoo} and {b.path.name} of {b.zoo}, or their digests differ:"
            " only scores on the same zoo can be compared"
        )
    for record in (a, b):
        if record.content.answers is None:
            raise ZooError(f"{record.path.name}: the method failed, so there is nothing to compare")
    left, right = load_answers(a), load_answers(b)
    found = {}
    for task in TASKS:
        of_a, of_b = (primary_by_model(*loaded, task) for loaded in (left, right))
        for perturbation in of_a:
            if perturbation in of_b:
                comparison = compare_scores(of_a[perturbation], of_b[perturbation], seed)
                found[f"{task}/{perturbation}"] = comparison
    if not found:
        raise ZooError(f"{a.path.name} and {b.path.name} have no entry in common")
    return found
