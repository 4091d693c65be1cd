"""Validation: every fault in a zoo's metadata, structure and values, not only the first."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.errors import FormatError, escaped
from wsbench.networks.layout import Layout
from wsbench.storage.hdf5 import get_attributes
from wsbench.storage.strict_json import shown
from wsbench.typing import Columns
from wsbench.zoo.schema import ATTRIBUTES, COLUMNS, FORMAT, id_faults

_MOST_DEFLATED = 1032  # bytes that one deflated byte can expand to


def structure_faults(file: Any) -> list[str]:
    """Return every fault of an open ``zoo.h5`` that shows without reading its arrays.

    A file of another format version gets that fault alone: its content is unknown.
    """
    attributes = get_attributes(file)
    version = attributes.get("format")
    if not isinstance(version, int | np.integer):
        return ["attribute 'format' is missing: this is not a zoo file"]
    if version != FORMAT:
        return [
            f"format {version}, and this version of wsbench reads format {FORMAT};"
            f" {'upgrade wsbench' if version > FORMAT else 'build the zoo again'}"
        ]
    faults = [
        f"attribute {name!r} ({meaning}) is missing or not text"
        for name, meaning in ATTRIBUTES.items()
        if name != "format" and not isinstance(attributes.get(name), str)
    ]
    faults = faults or metadata_faults(attributes)
    names = {column.name for column in COLUMNS}
    faults += [f"unknown dataset {shown(name)}" for name in sorted(set(file) - names)]
    faults += _dataset_faults(file)
    return faults or _size_faults(file["weights"], attributes)


def metadata_faults(attributes: Mapping[str, str]) -> list[str]:
    """Return the faults of a zoo's id, texts and layout, read or to be written.

    No text may hold control characters, even as an escape sequence of TOML or JSON, because
    commands print titles and tensor names.
    """
    faults = id_faults(attributes["id"])
    for name in ("license", "created_by"):
        text = attributes[name]
        if not text or "\n" in text or escaped(text) != text:
            faults.append(f"attribute {name!r}: got {shown(text)}, expected one line of plain text")
    for name, parse in (("recipe", _recipe), ("layout", Layout.from_json)):
        text = attributes[name]
        if escaped(text) != text:
            faults.append(f"attribute {name!r}: holds control characters")
            continue
        try:
            texts = list(_texts(parse(text)))
        except FormatError as error:
            faults.append(str(error))
            continue
        faults += [
            f"attribute {name!r}: {shown(found)} holds control characters"
            for found in texts
            if escaped(found) != found
        ]
    return faults


def _recipe(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FormatError(f"attribute 'recipe': not TOML: {error}") from None


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in nested containers and dataclasses, keys of mappings included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif hasattr(value, "__dict__"):
        yield from _texts(vars(value))


def _size_faults(weights: Any, attributes: Mapping[str, str]) -> list[str]:
    """Compare the shape of the weights with layout, recipe and the bytes in the file."""
    n, p = weights.shape
    layout, recipe = Layout.from_json(attributes["layout"]), _recipe(attributes["recipe"])
    if layout.n_parameters != p:
        return [f"weights: {p} parameters, the layout has {layout.n_parameters}"]
    models, epochs = recipe.get("models"), recipe.get("epochs")
    if isinstance(models, int) and isinstance(epochs, int) and n > models * (epochs + 1):
        return [f"weights: {n} rows, the recipe says models = {models}, epochs = {epochs}"]
    n_stored = weights.id.get_storage_size()
    if weights.nbytes > _MOST_DEFLATED * n_stored:
        return [f"weights: {weights.nbytes:,} bytes in {n_stored:,} stored: not all rows are there"]
    return []


def _dataset_faults(file: Any) -> list[str]:
    import h5py

    faults, lengths = [], {}
    for column in COLUMNS:
        if isinstance(file.get(column.name, getlink=True), h5py.SoftLink | h5py.ExternalLink):
            faults.append(f"dataset {column.name!r} is a link")
            continue
        dataset = file.get(column.name)
        if not isinstance(dataset, h5py.Dataset):
            faults.append(f"dataset {column.name!r} ({column.meaning}) is missing")
            continue
        if dataset.is_virtual or dataset.external:
            faults.append(f"{column.name}: its values are in another file")
        if dataset.dtype.str != column.dtype:
            faults.append(f"{column.name}: dtype {dataset.dtype.str}, expected {column.dtype}")
        if dataset.ndim != len(column.axes):
            faults.append(f"{column.name}: {dataset.ndim} axes, expected {len(column.axes)}")
        elif dataset.ndim:
            lengths[column.name] = dataset.shape[0]
    if len(set(lengths.values())) > 1:
        faults.append(f"datasets differ in length: {lengths}")
    elif 0 in lengths.values():
        faults.append("the zoo has no checkpoints")
    return faults


def value_faults(columns: Columns, attributes: Mapping[str, Any]) -> list[str]:
    """Return every fault of the values of columns whose structure is right."""
    faults = _recipe_faults(columns, attributes)
    for column in COLUMNS:
        values = columns[column.name]
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            rows = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
            faults.append(f"{column.name}: not finite in {len(rows)} rows, first row {rows[0]}")
        if column.low is not None and (values < column.low).any():
            faults.append(f"{column.name}: {values.min()} is below {column.low:g}")
        if column.high is not None and (values > column.high).any():
            faults.append(f"{column.name}: {values.max()} is above {column.high:g}")
    return faults + _order_faults(columns["model"], columns["epoch"], columns["split"])


def _recipe_faults(columns: Columns, attributes: Mapping[str, Any]) -> list[str]:
    """Check that the recipe is of this zoo; its other keys are its builder's."""
    recipe = _recipe(attributes["recipe"])
    n_models = len(np.unique(columns["model"]))
    last = int(columns["epoch"].max())
    expected = {"id": attributes["id"], "models": n_models, "epochs": last}
    return [
        f"the recipe says {key} = {shown(recipe[key])}, the file holds {value!r}"
        for key, value in expected.items()
        if key in recipe and recipe[key] != value
    ]


def _order_faults(
    model: npt.NDArray[Any], epoch: npt.NDArray[Any], split: npt.NDArray[Any]
) -> list[str]:
    faults = []
    starts = np.flatnonzero(np.diff(model, prepend=model[0] - 1))
    if len(starts) != len(np.unique(model)) or (np.diff(model[starts]) < 0).any():
        faults.append("model: rows are not model-major, models ascending")
        return faults
    within = np.setdiff1d(np.arange(1, len(model)), starts)
    if (np.diff(epoch)[within - 1] <= 0).any():
        faults.append("epoch: not ascending within each model")
    if (np.diff(split.astype(int))[within - 1] != 0).any():
        changed = model[within[np.diff(split.astype(int))[within - 1] != 0][0]]
        faults.append(f"split: not constant within model {changed}")
    return faults
