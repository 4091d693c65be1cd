"""Comparison of two records on the same models: overall, by track, and entry by entry."""

from wsbench.errors import ZooError
from wsbench.metrics.ranking import Comparison, compare_scores
from wsbench.records.record import Record
from wsbench.records.rescoring import load_answers, tracks_of
from wsbench.tasks.catalogue import TASKS
from wsbench.tasks.scoring import primary_by_model
from wsbench.tasks.tracks import OVERALL
from wsbench.typing import Doubles


def compare(a: Record, b: Record, *, seed: int = 0) -> dict[str, Comparison]:
    """Compare two methods: their overall score, its tracks, and every entry that both have.

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
        ``"overall"``, ``"overall/symmetry"`` for each track, and entries of which the primary
        scores are compared, as ``"identification/permute"``, to the mean difference a − b over
        models, with its 95 % interval, its p-value, and whether it is separable from 0. Records
        whose tracks have different conditions are compared by entry alone.

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
    left, right = _by_task(a), _by_task(b)
    entries = {
        f"{task}/{perturbation}": compare_scores(values, right[task][perturbation], seed)
        for task in TASKS
        for perturbation, values in left[task].items()
        if perturbation in right[task]
    }
    if not entries:
        raise ZooError(f"{a.path.name} and {b.path.name} have no entry in common")
    tracks = tracks_of(a)
    is_of_same_conditions = tracks == tracks_of(b) and all(
        tracks.among(left[task]) == tracks.among(right[task]) for task in tracks.tasks
    )
    if not is_of_same_conditions:
        return entries
    of_a, of_b = (tracks.overall_by_model(by_task) for by_task in (left, right))
    overall = {
        OVERALL if track == OVERALL else f"{OVERALL}/{track}": compare_scores(
            of_a[track], of_b[track], seed
        )
        for track in of_a
    }
    return overall | entries


def _by_task(record: Record) -> dict[str, dict[str, Doubles]]:
    """Return the primary scores of each model by task and perturbation."""
    loaded = load_answers(record)
    return {task: primary_by_model(*loaded, task) for task in TASKS}
