"""Zoo in memory, and its reader."""

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.errors import FormatError, IntegrityError, StorageError, UnknownIdError, WsbenchError
from wsbench.networks.checkpoints import Checkpoints
from wsbench.networks.layout import Layout
from wsbench.storage.hdf5 import get_attributes
from wsbench.storage.npz import unpack
from wsbench.storage.regular import read_bytes, refuse_irregular
from wsbench.suggestions import unknown_name_error
from wsbench.typing import Floats, Rows
from wsbench.zoo.digest import content_digest, digest_of_file
from wsbench.zoo.schema import COLUMNS, PROBE_FILE, SPLITS, ZOO_FILE
from wsbench.zoo.validation import structure_faults, value_faults

_AGAIN = "build it again: wsbench build … --rebuild"
_MAX_PROBE_BYTES = 64_000_000


@dataclass(frozen=True, eq=False)
class Zoo:
    """All trajectories of one recipe, one row per checkpoint, model-major, epochs ascending.

    `load_zoo` makes one. All arrays are read-only and share their first axis.

    Attributes
    ----------
    id
        ``name-vN``.
    weights
        ``(n_checkpoints, n_parameters)`` float32, flat weights in layout order.
    model, epoch
        ``(n_checkpoints,)`` int32 and int16: number of the model, and of passes over the data.
    split
        ``(n_checkpoints,)`` uint8: 0 train, 1 val, 2 test, constant within a model.
    train_loss, test_loss, test_accuracy
        ``(n_checkpoints,)`` float32: mean losses over the data sets, accuracy in [0, 1].
    layout
        The tensors in a row of ``weights``.
    recipe_text
        The TOML text that determines the zoo.
    content_digest
        The zoo's identity, ``sha256:…`` over the columns and the recipe.
    license, created_by
        SPDX identifier; the software that trained the zoo.
    probe_inputs
        ``(n_inputs, …)`` float32: inputs for methods that need activations.

    Examples
    --------
    >>> zoo = wsbench.load_zoo("digits-mlp-v1")
    >>> zoo.weights.shape
    (2550, 2160)
    >>> zoo.model[zoo.rows("test", epochs=[50])]
    array([ 1,  6, 11, 19, 20, 27, 33, 39, 43, 49], dtype=int32)
    """

    id: str
    weights: Floats
    model: npt.NDArray[np.int32]
    epoch: npt.NDArray[np.int16]
    split: npt.NDArray[np.uint8]
    train_loss: Floats
    test_loss: Floats
    test_accuracy: Floats
    layout: Layout
    recipe_text: str
    content_digest: str
    license: str
    created_by: str
    probe_inputs: Floats

    def __repr__(self) -> str:
        n, p = self.weights.shape
        return f"Zoo({self.id}: {self.n_models} models, {n} checkpoints of {p} parameters)"

    @property
    def n_models(self) -> int:
        """Number of models."""
        return len(np.unique(self.model))

    @cached_property
    def recipe(self) -> Mapping[str, Any]:
        """The recipe, parsed."""
        return tomllib.loads(self.recipe_text)

    @property
    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays of ``zoo.h5`` by name."""
        return {column.name: getattr(self, column.name) for column in COLUMNS}

    def rows(self, split: str | None = None, epochs: Iterable[int] | None = None) -> Rows:
        """Return the indices of the checkpoints of a split and of some epochs, ascending.

        Parameters
        ----------
        split
            ``"train"``, ``"val"`` or ``"test"``; None for all.
        epochs
            Epochs to keep; None for all, initialisation (0) included.
        """
        keep = np.ones(len(self.weights), bool)
        if split is not None:
            if split not in SPLITS:
                raise unknown_name_error("split", split, SPLITS)
            keep &= self.split == SPLITS[split]
        if epochs is not None:
            keep &= np.isin(self.epoch, list(epochs))
        return np.flatnonzero(keep)

    def checkpoints(
        self, split: str | None = None, epochs: Iterable[int] | None = None
    ) -> Checkpoints:
        """Return the checkpoints of a split and of some epochs, as a method sees them.

        Takes the arguments of `rows`, which gives their labels: ``zoo.model[zoo.rows("test")]``.
        """
        return Checkpoints(
            self.weights[self.rows(split, epochs)], self.layout, probe_inputs=self.probe_inputs
        )

    def state_dict(self, model: int, epoch: int) -> dict[str, Floats]:
        """Return the tensors of one checkpoint by name, as PyTorch names them; copies.

        Raises
        ------
        UnknownIdError
            If the zoo has no such checkpoint.

        Examples
        --------
        >>> zoo = wsbench.load_zoo("digits-mlp-v1")
        >>> {name: tensor.shape for name, tensor in zoo.state_dict(17, 30).items()}
        {'fc1.weight': (10, 196), 'fc2.weight': (10, 10), 'fc3.weight': (10, 10)}
        """
        row = self.weights[self.row(model, epoch)]
        return {
            tensor.name: row[tensor.start : tensor.stop].reshape(tensor.shape).copy()
            for tensor in self.layout.tensors
        }

    def row(self, model: int, epoch: int) -> int:
        """Return the index of one checkpoint; raise `UnknownIdError` if there is none."""
        found = np.flatnonzero((self.model == model) & (self.epoch == epoch))
        if not len(found):
            models, epochs = np.unique(self.model), np.unique(self.epoch)
            raise UnknownIdError(
                f"zoo {self.id!r} has no checkpoint of model {model} at epoch {epoch}; it has"
                f" models {models[0]} to {models[-1]} and epochs {epochs[0]} to {epochs[-1]}"
            )
        return int(found[0])

    def with_rows(self, rows: Rows) -> "Zoo":
        """Return a zoo of these rows, in this order, with a digest of its own."""
        columns: dict[str, Any] = {n: _read_only(array[rows]) for n, array in self.columns.items()}
        digest = content_digest(columns, self.recipe_text)
        return replace(self, **columns, content_digest=digest)


def zoo_file(path: Path) -> Path:
    """Return the ``zoo.h5`` in a folder, whether it exists or not, or the path of a file as it is.

    Raises `StorageError` if the path cannot be looked up.
    """
    try:
        is_file = path.exists() and not path.is_dir()
    except OSError as error:
        raise StorageError(f"{path}: cannot read: {error.strerror}") from None
    return path if is_file else path / ZOO_FILE


def read_zoo(folder: Path) -> Zoo:
    """Read a zoo from its folder (or from its ``zoo.h5``) and check that it is whole.

    Raises
    ------
    FormatError
        If a file is missing, not a regular file, of another format version, or against the schema.
        The message names the first fault and the number of others.
    IntegrityError
        If a file is truncated, damaged or not HDF5, or the arrays do not have the content digest
        that is written beside them.
    StorageError
        If a file cannot be read, or its arrays do not fit into memory.
    """
    path = zoo_file(folder)
    attributes, columns = read_arrays(path)
    with _explain_memory_errors(path):
        digest = content_digest(columns, attributes["recipe"])
        _check_digest(path, digest, attributes)
        if faults := value_faults(columns, attributes):
            raise _refusal(path, faults)
        return Zoo(
            id=attributes["id"],
            layout=Layout.from_json(attributes["layout"]),
            recipe_text=attributes["recipe"],
            content_digest=digest,
            license=attributes["license"],
            created_by=attributes["created_by"],
            probe_inputs=read_probe(path.with_name(PROBE_FILE)),
            **columns,
        )


def read_attributes(folder: Path) -> dict[str, Any]:
    """Return the attributes of a whole zoo, whose weights need not fit in memory.

    Raises what `read_zoo` does, except for faults of values.
    """
    path = folder / ZOO_FILE
    with _opened(path) as file:
        attributes = get_attributes(file)
        digest = digest_of_file(file, attributes["recipe"])
    _check_digest(path, digest, attributes)
    return attributes


def read_arrays(path: Path) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Return the attributes and columns of a ``zoo.h5`` whose structure is right.

    Raises `FormatError` with the structure's faults, `IntegrityError` if HDF5 cannot read it, or
    `StorageError` if it does not fit into memory.
    """
    with _opened(path) as file:
        n_bytes = sum(file[column.name].nbytes for column in COLUMNS)
        if n_bytes > (n_there := _memory_bytes()):
            raise StorageError(
                f"{path}: holds {n_bytes:,} bytes, this machine has {n_there:,} bytes of memory"
            )
        columns = {column.name: _read_only(file[column.name][:]) for column in COLUMNS}
        return get_attributes(file), columns


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@contextmanager
def _explain_memory_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise StorageError(f"{path}: does not fit into memory: {error}") from None


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import h5py

    try:
        refuse_irregular(path)
        with _explain_memory_errors(path), h5py.File(path) as file:
            if faults := structure_faults(file):
                raise _refusal(path, faults)
            yield file
    except WsbenchError:
        raise
    except FileNotFoundError:
        raise FormatError(f"{path}: no such file; a zoo's folder holds a {ZOO_FILE}") from None
    except PermissionError as error:
        raise StorageError(f"{path}: cannot read: {error.strerror}") from None
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:  # all of them h5py's
        reason = str(error).partition("\n")[0]
        raise IntegrityError(
            f"{path}: truncated, damaged or not HDF5 ({reason}); {_AGAIN}"
        ) from None


def _check_digest(path: Path, digest: str, attributes: Mapping[str, Any]) -> None:
    if digest != attributes["content_digest"]:
        raise IntegrityError(
            f"{path}: damaged: the arrays have the digest {digest[:19]}…, but were written with"
            f" {attributes['content_digest'][:19]}…; {_AGAIN}"
        )


def _refusal(path: Path, faults: list[str]) -> FormatError:
    more = f" (and {len(faults) - 1} more; wsbench verify lists them)" if faults[1:] else ""
    return FormatError(f"{path}: {faults[0]}{more}", faults)


def read_probe(path: Path) -> Floats:
    """Return the probe inputs of a ``probe.npz``, ``(n_inputs, …)`` float32."""
    try:
        inputs = unpack(read_bytes(path, _MAX_PROBE_BYTES), _MAX_PROBE_BYTES)["inputs"]
    except FormatError:
        raise
    except FileNotFoundError:
        raise FormatError(f"{path}: missing; a zoo's folder holds its probe inputs") from None
    except PermissionError as error:
        raise StorageError(f"{path}: cannot read: {error.strerror}") from None
    except (OSError, ValueError, KeyError) as error:
        raise IntegrityError(f"{path}: damaged: {error}; {_AGAIN}") from None
    if inputs.dtype != np.float32:
        raise FormatError(f"{path}: dtype {inputs.dtype}, expected float32")
    return _read_only(inputs)


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array.setflags(write=False)
    return array
