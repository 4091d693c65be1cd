"""Protocol of methods: their description, their calls, and what they may see."""

import inspect
import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from wsbench.errors import MethodError
from wsbench.networks.checkpoints import NEEDS, Checkpoints, Labels
from wsbench.networks.layout import Layout

INVARIANCES = ("hidden-permutation", "positive-rescaling", "sign-flip")
_LONGEST_NAME = 100  # a file is named after it
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_URL = re.compile(r"https://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(/[A-Za-z0-9._~/?#!$&()*+,;:=@%-]*)?")
LONGEST_URL = 200


@dataclass(frozen=True)
class MethodInfo:
    """A method's description of itself.

    Parameters
    ----------
    name
        Lower-case words joined by hyphens; names the method in tables and records.
    version
        Any text; change it when scores change.
    description
        One line.
    invariances
        Changes of the weights, among ``"hidden-permutation"``, ``"positive-rescaling"`` and
        ``"sign-flip"``, that keep the network's function and the method's distances.
    needs
        Inputs beside weights and layout: ``"probe_inputs"``, ``"activations"``, or
        ``"labels"`` of the train models in ``fit``.
    code_url, paper_url
        Where its code and its paper are: ``https://…``, at most 200 characters.

    Raises
    ------
    MethodError
        If the name is not of that form or has more than 100 characters, a word is not among
        those, or an address is not of that form.

    Examples
    --------
    >>> MethodInfo(name="my-method", invariances={"hidden-permutation"}).version
    '1'
    """

    name: str
    version: str = "1"
    description: str = ""
    invariances: Iterable[str] = ()
    needs: Iterable[str] = ()
    code_url: str = ""
    paper_url: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise MethodError(
                f"MethodInfo: name {self.name!r:.120} is not lower-case words joined by hyphens"
            )
        if len(self.name) > _LONGEST_NAME:
            raise MethodError(
                f"MethodInfo: name {self.name[:20]}… has {len(self.name)} characters, at most"
                f" {_LONGEST_NAME} are allowed"
            )
        for name, allowed in (("invariances", INVARIANCES), ("needs", tuple(NEEDS))):
            given = getattr(self, name)
            words = frozenset([given] if isinstance(given, str) else given)
            if wrong := sorted(words - set(allowed)):
                raise MethodError(f"MethodInfo: {name} {wrong}: allowed are {', '.join(allowed)}")
            object.__setattr__(self, name, words)
        for name in ("code_url", "paper_url"):
            if not is_url(url := getattr(self, name)):
                raise MethodError(
                    f"MethodInfo: {name} {url!r:.120} is not https://… of at most {LONGEST_URL}"
                    " characters"
                )


def is_url(text: object) -> bool:
    """Return whether a page may link to a text: an address of https, or the empty text for none.

    Examples
    --------
    >>> is_url("https://arxiv.org/abs/1905.00414"), is_url("javascript:alert(1)"), is_url("")
    (True, False, True)
    """
    if not isinstance(text, str) or len(text) > LONGEST_URL:
        return False
    return not text or _URL.fullmatch(text) is not None


@runtime_checkable
class EmbeddingMethod(Protocol):
    """A method that gives each checkpoint a vector; distances are Euclidean between these."""

    def transform(self, checkpoints: Checkpoints) -> npt.NDArray[np.floating[Any]]:
        """Return ``(n_checkpoints, d)``, row i from checkpoint i alone."""


@runtime_checkable
class DistanceMethod(Protocol):
    """A method that gives every two checkpoints a distance."""

    def pairwise(self, checkpoints: Checkpoints) -> npt.NDArray[np.floating[Any]]:
        """Return symmetric ``(n_checkpoints, n_checkpoints)`` distances."""


Method = EmbeddingMethod | DistanceMethod


@dataclass(frozen=True)
class MethodDescription:
    """The description of a method without its code, for records, tables and commands.

    Attributes
    ----------
    info
        Its description of itself.
    spec
        Where it was found; empty for one that was not loaded.
    code_sha256
        Hash of the file that defines it, and of the files that this one imports.
    parameters
        All constructor arguments that JSON can hold, defaults too.
    settings
        The names of those that are not at their defaults.
    gives_distances
        Whether it is asked for distances. A method with both is.
    has_fit, has_order, has_progress
        Whether it has these methods.
    """

    info: MethodInfo
    spec: str
    code_sha256: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    gives_distances: bool = False
    has_fit: bool = False
    has_order: bool = False
    has_progress: bool = False

    @property
    def label(self) -> str:
        """Name and settings, for tables: ``"svd k=5"``."""
        return label_of(self.info.name, self.parameters, self.settings)

    @property
    def arguments(self) -> str:
        """The arguments of ``wsbench evaluate`` that load it: ``"svd --set k=5"``."""
        return shell_arguments(self.spec, self.parameters, self.settings)


def refuse_changed_code(before: MethodDescription, now: MethodDescription) -> None:
    """Raise `MethodError` if a method's files changed between two times that it was loaded."""
    if before.code_sha256 != now.code_sha256:
        raise MethodError(
            f"method {before.spec!r}: its code changed while it was evaluated; evaluate it again"
        )


@dataclass(frozen=True)
class LoadedMethod:
    """A method in this process.

    Attributes
    ----------
    method
        The instance that is asked.
    info, spec, code_sha256, parameters, settings
        As in `MethodDescription`.
    make
        Makes another instance, without what this one has learned; None if that is unknown.
    """

    method: Method
    info: MethodInfo
    spec: str
    code_sha256: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    make: Callable[[], Method] | None = field(default=None, compare=False, repr=False)

    def renewed(self) -> "LoadedMethod":
        """Return the method with another instance; itself if that cannot be made."""
        return replace(self, method=self.make()) if self.make else self

    @property
    def description(self) -> MethodDescription:
        """What is known of it without its code."""
        return MethodDescription(
            self.info,
            self.spec,
            self.code_sha256,
            self.parameters,
            self.settings,
            gives_distances=self.gives_distances,
            has_fit=hasattr(self.method, "fit"),
            has_order=hasattr(self.method, "order"),
            has_progress=hasattr(self.method, "progress"),
        )

    @property
    def label(self) -> str:
        """Name and settings, for tables: ``"svd k=5"``."""
        return self.description.label

    @property
    def gives_distances(self) -> bool:
        """Whether it is asked for distances, as a method that has both is."""
        return isinstance(self.method, DistanceMethod)

    def view(
        self,
        weights: npt.NDArray[np.float32],
        layout: Layout,
        probe_inputs: npt.NDArray[np.float32],
        labels: Labels | None = None,
    ) -> Checkpoints:
        """Return what the method may see of checkpoints: what it has declared that it needs."""
        needs = set(self.info.needs)
        return Checkpoints(
            weights,
            layout,
            probe_inputs=probe_inputs if needs & {"activations", "probe_inputs"} else None,
            labels=labels if "labels" in needs else None,
        )

    def fit(self, train: Checkpoints, rng: np.random.Generator) -> None:
        """Fit the method, if it can be.

        One whose ``fit`` takes no ``rng``, a scikit-learn transformer, has a ``random_state`` of
        its own; where that is None it is drawn from the rng, so that the same seed gives the same
        answers.
        """
        fit = getattr(self.method, "fit", None)
        if fit is None:
            return
        if "rng" in inspect.signature(fit).parameters:
            fit(train, rng=rng)
            return
        if getattr(self.method, "random_state", 0) is None:
            self.method.random_state = int(rng.integers(2**31))  # type: ignore[union-attr]
        fit(train)


def label_of(name: str, parameters: Mapping[str, Any], settings: Sequence[str]) -> str:
    """Return a method's name and settings, for tables: ``"svd k=5"``."""
    return " ".join((name, *assignments(parameters, settings)))


def shell_arguments(spec: str, parameters: Mapping[str, Any], settings: Sequence[str]) -> str:
    """Return what loads a method on the command line, quoted for a shell: ``"svd --set k=5"``."""
    quoted = (shlex.quote(setting) for setting in assignments(parameters, settings))
    return " --set ".join((shlex.quote(spec), *quoted))


def assignments(parameters: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Return parameters as ``--set`` takes them: ``["k=5", "layer=output"]``."""
    return [f"{name}={_text(parameters[name])}" for name in names]


def _text(value: Any) -> str:
    """Return a parameter as ``--set`` takes it: a text as it is, unless it reads as a number."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return value
    return json.dumps(value, separators=(",", ":"))
