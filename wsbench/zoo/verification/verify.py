"""Verifying a zoo on disk: its files, its format, and whether what it says is true."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from wsbench.errors import FormatError, WsbenchError, ZooError
from wsbench.typing import Columns
from wsbench.zoo.cache import DEFAULT_ZOO, find_zoo
from wsbench.zoo.digest import content_digest
from wsbench.zoo.providers import Progress
from wsbench.zoo.schema import FORMAT, ZOO_FILE
from wsbench.zoo.validation import value_faults
from wsbench.zoo.verification import claims as science
from wsbench.zoo.verification.files import digest_faults, manifest_faults, probe_faults
from wsbench.zoo.zoo import read_arrays

Look = Callable[[], list[str]]

_FORMAT_CLAIM = f"{ZOO_FILE} has the datasets and attributes of format {FORMAT}"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    name
        A word.
    claim
        What holds if the check has passed.
    about
        ``"files"`` if a zoo that fails is damaged or no zoo, ``"science"`` if it can be read but
        is not what it says.
    outcome
        ``"passed"``, ``"failed"``, or ``"skipped"`` if it could not be looked at.
    findings
        Everything that does not hold; for a skipped check the reason.
    """

    name: str
    claim: str
    about: Literal["files", "science"]
    outcome: Literal["passed", "failed", "skipped"]
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verification:
    """What `verify_zoo` found in a folder."""

    folder: Path
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that do not hold."""
        return tuple(check for check in self.checks if check.outcome == "failed")

    @property
    def skipped(self) -> tuple[Check, ...]:
        """The checks that could not be made here."""
        return tuple(check for check in self.checks if check.outcome == "skipped")

    @property
    def is_damaged(self) -> bool:
        """Whether the files are not those of a whole zoo."""
        return any(check.about == "files" for check in self.failed)


def verify_zoo(
    zoo: str | Path = DEFAULT_ZOO, *, retrain: int = 0, progress: Progress | None = None
) -> Verification:
    """Check a zoo on disk: its files, its format, and whether what it says is true.

    The files against the manifest, ``zoo.h5`` against the schema, the arrays against the content
    digest beside them and the published one; splits against the function of id and number that
    they are; that no two models share a checkpoint; and the scores of a few models, computed again
    from their weights, bit for bit. What cannot be looked at, for instance because the data are
    not on this machine, is skipped and says why.

    Parameters
    ----------
    zoo
        Its id, its folder or its ``zoo.h5``, as for `load_zoo`.
    retrain
        How many models to train again, spread over the zoo, and compare in every row and bit.
    progress
        Told of every model that is done, if the zoo has to be built or models trained again.

    Raises
    ------
    UnknownIdError
        If there is no such zoo; the message names the nearest.
    FormatError
        If there is no such folder.
    ZooError
        If the zoo does not have as many models as are to be trained again.

    Examples
    --------
    >>> verify_zoo("digits-mlp-v1").failed
    ()
    """
    path = find_zoo(zoo, progress=progress)
    folder = path.parent if path.is_file() else path
    if not folder.is_dir():
        raise FormatError(f"{folder}: no such folder; verify takes an id or a zoo's folder")
    checks = [
        _check("files", "every file is as manifest.json says", lambda: manifest_faults(folder)),
        _check("probe", "the probe inputs can be read", lambda: probe_faults(folder)),
    ]
    try:
        attributes, columns = read_arrays(folder / ZOO_FILE)
    except WsbenchError as error:
        faults = error.faults if isinstance(error, FormatError) else [str(error)]
        checks.append(_check("format", _FORMAT_CLAIM, lambda: faults))
        return Verification(folder, tuple(checks))
    checks += _content_checks(folder, attributes, columns)
    looks = _science_looks(attributes, columns, retrain, progress)
    is_whole = all(check.outcome == "passed" for check in checks[2:])
    for name, claim, look in looks:
        checks.append(_check(name, claim, look if is_whole else _refuse, "science"))
    return Verification(folder, tuple(checks))


def _check(
    name: str, claim: str, look: Look, about: Literal["files", "science"] = "files"
) -> Check:
    try:
        findings = look()
    except science.CannotCheckError as reason:
        return Check(name, claim, about, "skipped", (str(reason),))
    return Check(name, claim, about, "failed" if findings else "passed", tuple(findings))


def _refuse() -> list[str]:
    raise science.CannotCheckError("the arrays are not those of a whole zoo")


def _content_checks(folder: Path, attributes: Mapping[str, Any], columns: Columns) -> list[Check]:
    digest = content_digest(columns, attributes["recipe"])
    return [
        _check("format", _FORMAT_CLAIM, lambda: []),
        _check(
            "values",
            "values are in range, rows in order",
            lambda: value_faults(columns, attributes),
        ),
        _check(
            "digest",
            "arrays and recipe have the digest written beside them",
            lambda: digest_faults(folder, attributes, digest),
        ),
    ]


def _science_looks(
    attributes: Mapping[str, Any], columns: Columns, retrain: int, progress: Progress | None
) -> list[tuple[str, str, Look]]:
    """Return name, claim and what to do of each check of the science."""
    zoo_id, recipe = attributes["id"], attributes["recipe"]
    n_models = len(np.unique(columns["model"]))
    if not 0 <= retrain <= n_models:
        raise ZooError(f"retrain: got {retrain}, and {zoo_id} has {n_models} models")
    looks: list[tuple[str, str, Look]] = [
        (
            "published",
            "the digest is the one published for this id",
            lambda: science.published_findings(zoo_id, attributes["content_digest"]),
        ),
        (
            "splits",
            "each model is in the split of its id and number",
            lambda: science.split_findings(zoo_id, columns),
        ),
        (
            "duplicates",
            "no two models share a checkpoint",
            lambda: science.duplicate_findings(columns),
        ),
        (
            "scores",
            f"scores of {min(n_models, science.N_RESCORED)} models, computed again, are the same",
            lambda: science.score_findings(recipe, columns),
        ),
        (
            "training",
            f"{retrain} models, trained again, are the same in every row and bit",
            lambda: science.training_findings(recipe, columns, retrain, progress),
        ),
    ]
    return looks if retrain else looks[:-1]
