"""Verification of a zoo on disk: its files, its format and its claims."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from wsbench.errors import FormatError, WsbenchError, ZooError, escaped
from wsbench.typing import Columns
from wsbench.zoo.cache import DEFAULT_ZOO, find_zoo
from wsbench.zoo.digest import content_digest
from wsbench.zoo.providers import Progress
from wsbench.zoo.schema import FORMAT, PROBE_FILE, ZOO_FILE
from wsbench.zoo.validation import value_faults
from wsbench.zoo.verification import claims
from wsbench.zoo.verification.files import digest_faults, manifest_faults, probe_faults
from wsbench.zoo.zoo import read_arrays, zoo_file

Findings = Callable[[], list[str]]

_FORMAT_CLAIM = f"{ZOO_FILE} has the datasets and attributes of format {FORMAT}"


@dataclass(frozen=True)
class Check:
    """One check, and its outcome.

    Attributes
    ----------
    name
        A word.
    claim
        The statement that holds if the check has passed.
    about
        ``"files"`` if a zoo that fails is damaged or no zoo; ``"claims"`` if it can be read but
        makes a false claim.
    outcome
        ``"passed"``, ``"failed"``, or ``"skipped"`` if the check could not be made.
    findings
        Everything that contradicts the claim; for a skipped check the reason.
    """

    name: str
    claim: str
    about: Literal["files", "claims"]
    outcome: Literal["passed", "failed", "skipped"]
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verification:
    """The checks of `verify_zoo` on a folder."""

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
    """Check a zoo on disk: its files, its format and its claims.

    - The files agree with the manifest, and ``zoo.h5`` with the schema.
    - The arrays have the content digest beside them, and the published one.
    - Layout and probe inputs are those published, or the layout is that of the recipe.
    - Splits follow from id and model number, and no two models share a checkpoint.
    - The scores of a few models, computed again from their weights, agree in every bit.

    A check that cannot be made, for instance because the data are not on this machine, is skipped
    with its reason.

    Parameters
    ----------
    zoo
        Its id, its folder or its ``zoo.h5``, as for `load_zoo`.
    retrain
        Number of models to train again, spread over the zoo, and compare in every row and bit.
    progress
        Called after every model, if the zoo has to be built or models trained again.

    Raises
    ------
    UnknownIdError
        If there is no such zoo; the message names the nearest.
    FormatError
        If there is no such folder.
    ZooError
        If the zoo has fewer models than are to be trained again.

    Examples
    --------
    >>> verify_zoo("digits-mlp-v1").failed
    ()
    """
    folder = zoo_file(find_zoo(zoo, progress=progress)).parent
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
    is_whole = all(check.outcome == "passed" for check in checks[2:])
    for name, claim, findings in _claims(folder, attributes, columns, retrain, progress):
        checks.append(_check(name, claim, findings if is_whole else _refuse, "claims"))
    return Verification(folder, tuple(checks))


def _check(
    name: str, claim: str, find: Findings, about: Literal["files", "claims"] = "files"
) -> Check:
    try:
        findings = tuple(escaped(finding) for finding in find())
    except claims.CannotCheckError as reason:
        return Check(name, claim, about, "skipped", (escaped(str(reason)),))
    return Check(name, claim, about, "failed" if findings else "passed", findings)


def _refuse() -> list[str]:
    raise claims.CannotCheckError("the arrays are not those of a whole zoo")


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


def _claims(
    folder: Path,
    attributes: Mapping[str, Any],
    columns: Columns,
    retrain: int,
    progress: Progress | None,
) -> list[tuple[str, str, Findings]]:
    """Return each claim's name, its text, and the function that finds what contradicts it."""
    zoo_id, recipe, digest = (attributes[key] for key in ("id", "recipe", "content_digest"))
    n_models = len(np.unique(columns["model"]))
    if not 0 <= retrain <= n_models:
        raise ZooError(f"retrain: got {retrain}, and {zoo_id} has {n_models} models")
    found: list[tuple[str, str, Findings]] = [
        (
            "published",
            "the digest is the one published for this id",
            lambda: claims.published_findings(zoo_id, digest),
        ),
        (
            "network",
            "layout and probe inputs are those of the recipe",
            lambda: claims.network_findings(
                recipe, digest, attributes["layout"], folder / PROBE_FILE
            ),
        ),
        (
            "splits",
            "each model is in the split of its id and number",
            lambda: claims.split_findings(zoo_id, columns),
        ),
        (
            "duplicates",
            "no two models share a checkpoint",
            lambda: claims.duplicate_findings(columns),
        ),
        (
            "scores",
            f"scores of {min(n_models, claims.N_RESCORED)} models, computed again, are the same",
            lambda: claims.score_findings(recipe, columns),
        ),
        (
            "training",
            f"{retrain} models, trained again, are the same in every row and bit",
            lambda: claims.training_findings(recipe, columns, retrain, progress),
        ),
    ]
    return found if retrain else found[:-1]
