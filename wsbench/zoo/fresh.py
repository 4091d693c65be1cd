"""Fresh zoos: test models of a zoo's recipe that a public text determines.

The answers for a published zoo's test models can be looked up. Fresh ones are trained after the
method was written, with a seed that depends on a text which the method's author did not know.
"""

import hashlib
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsbench.errors import FormatError, IntegrityError, RecipeError, ZooError
from wsbench.storage.atomic import folder_lock
from wsbench.zoo.cache import home
from wsbench.zoo.providers import Progress, provider_of_recipe
from wsbench.zoo.schema import TEST, ZOO_FILE, id_faults
from wsbench.zoo.writer import refuse_to_replace_others
from wsbench.zoo.zoo import Zoo, read_zoo

_SEED_DIGITS = 13  # 52 bits: every reader of JSON holds them exactly
_ID_DIGITS = 12

_log = logging.getLogger("wsbench")


@dataclass(frozen=True, eq=False)
class FreshZoo:
    """Test models that a text determines, and the zoo that methods are fitted on.

    Attributes
    ----------
    zoo
        The fresh models, all of them test models.
    source
        The zoo whose train models a method is fitted on.
    suite
        Name and version of the suite that the text belongs to.
    text
        The text.
    """

    zoo: Zoo
    source: Zoo
    suite: str
    text: str

    @property
    def seed(self) -> int:
        """The seed of the models, of shuffles, of ties and of perturbations."""
        return fresh_seed(self.source.id, self.suite, self.text)


def fresh_seed(zoo_id: str, suite: str, text: str) -> int:
    r"""Return the seed of fresh models, and of their perturbations and shuffles, below 2⁵².

    It is the first 13 hexadecimal digits of the sha256 of zoo id, suite and text, each but the last
    followed by a newline, in UTF-8:
    ``printf '%s\n%s\n%s' mnist-mlp-v1 'standard 2' 'the text' | sha256sum``.

    Parameters
    ----------
    zoo_id
        The zoo whose train models a method is fitted on.
    suite
        Name and version of the suite, as `Suite.describe` gives them.
    text
        Any text that is not empty, taken as it is.

    Raises
    ------
    ValueError
        If the text is empty or is no Unicode text, or id or suite hold a newline.

    Examples
    --------
    >>> fresh_seed("mnist-mlp-v1", "standard 2", "the text")
    1536799710089465
    """
    return int(_digest(zoo_id, suite, text)[:_SEED_DIGITS], 16)


def fresh_id(zoo_id: str, suite: str, text: str) -> str:
    """Return the id of a fresh zoo: ``mnist-mlp-fresh-`` with 12 digits, then the version.

    The digits are the first of `fresh_seed`. Models of an id of this form are all test models.

    Examples
    --------
    >>> fresh_id("mnist-mlp-v1", "standard 2", "the text")
    'mnist-mlp-fresh-575b610cf90f-v1'
    """
    name, _, version = zoo_id.rpartition("-")
    return f"{name}-fresh-{_digest(zoo_id, suite, text)[:_ID_DIGITS]}-{version}"


def fresh_zoo(
    zoo: Zoo, suite: str, text: str, *, keep: bool = True, progress: Progress | None = None
) -> FreshZoo:
    """Train test models that nobody has trained before, or load them if they are on this machine.

    The recipe is that of ``zoo`` with another id and seed and as many models as ``zoo`` has for
    testing. They are kept in the folder ``fresh`` of `home`. An interrupted training resumes, and
    two processes take turns. A damaged copy is trained again.

    Parameters
    ----------
    zoo
        The zoo whose train models a method is fitted on.
    suite, text
        As in `fresh_seed`.
    keep
        Whether they stay on disk. A method that runs on this machine could look them up there; if
        False, they are in memory alone when this function returns, and are trained again next time.
    progress
        Called after every model, if they have to be trained.

    Returns
    -------
    fresh
        A zoo with the layout and the probe inputs of ``zoo``, all of whose models are test models,
        as `evaluate` takes it.

    Raises
    ------
    RecipeError
        If no installed package can train the recipe of ``zoo``.
    ZooError
        If ``zoo`` has no test models.
    IntegrityError
        If layout or probe inputs are not those of ``zoo``.
    DataError, StorageError, WorkerError, ValueError
        As `build_zoo` and `fresh_seed` raise them.
    """
    fresh_text = _fresh_recipe(zoo, suite, text)
    folder = home() / "fresh" / fresh_id(zoo.id, suite, text)
    with folder_lock(folder):
        fresh = _kept(folder, fresh_text)
        if fresh is None:
            refuse_to_replace_others(folder)
            provider_of_recipe(fresh_text).build(
                fresh_text, folder, executor=None, workers=None, cluster=None, progress=progress
            )
            fresh = read_zoo(folder)
        _expect_like(fresh, zoo, folder)
        if not keep:
            shutil.rmtree(folder)
    return FreshZoo(fresh, zoo, suite, text)


def _digest(zoo_id: str, suite: str, text: str) -> str:
    if not text or "\n" in zoo_id + suite:
        raise ValueError(
            f"fresh models need a text, and zoo id and suite of one line; got {text!r:.60},"
            f" {zoo_id!r:.60} and {suite!r:.60}"
        )
    try:
        return hashlib.sha256(f"{zoo_id}\n{suite}\n{text}".encode()).hexdigest()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the text of fresh models is not Unicode at character {error.start + 1}; use UTF-8"
        ) from None


def _fresh_recipe(zoo: Zoo, suite: str, text: str) -> str:
    """Return the recipe of the fresh zoo."""
    n_models = len(np.unique(zoo.model[zoo.split == TEST]))
    if not n_models:
        raise ZooError(f"{zoo.id}: has no test models, so there is no number of fresh ones")
    new_id = fresh_id(zoo.id, suite, text)
    if faults := id_faults(new_id):
        raise ZooError(f"{zoo.id}: too long for the id of fresh models: {faults[0]}")
    try:
        provider = provider_of_recipe(zoo.recipe_text)
    except RecipeError as error:
        raise RecipeError(
            f"{zoo.id}: fresh models need a recipe that an installed package can train: {error}"
        ) from None
    return provider.derived_recipe(
        zoo.recipe_text,
        id=new_id,
        title=f"{n_models} fresh test models of {zoo.id}",
        models=n_models,
        seed=fresh_seed(zoo.id, suite, text),
    )


def _kept(folder: Path, recipe: str) -> Zoo | None:
    """Return the zoo of this recipe in a folder; None if it has to be trained."""
    if not (folder / ZOO_FILE).exists():
        return None
    try:
        kept = read_zoo(folder)
    except (FormatError, IntegrityError) as error:
        _log.warning("%s; its models are trained again", str(error).partition(";")[0])
        return None
    if kept.recipe_text != recipe:
        _log.warning("%s: holds models of another recipe; they are trained again", folder)
        return None
    return kept


def _expect_like(fresh: Zoo, zoo: Zoo, folder: Path) -> None:
    """Raise `IntegrityError` unless the fresh zoo can stand for the test models of the other."""
    same = {
        "the layout differs from": fresh.layout == zoo.layout,
        "the probe inputs differ from": np.array_equal(fresh.probe_inputs, zoo.probe_inputs),
        "not all are test models, as fresh ones are, unlike": bool((fresh.split == TEST).all()),
    }
    for fault, holds in same.items():
        if not holds:
            raise IntegrityError(f"{folder}: {fault} those of {zoo.id}; delete the folder")
