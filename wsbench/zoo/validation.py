"""What is wrong with a zoo: every fault of its structure and values, not only the first."""

import tomllib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.errors import FormatError
from wsbench.networks.layout import Layout
from wsbench.storage.hdf5 import get_attributes
from wsbench.typing import Columns
from wsbench.zoo.schema import ATTRIBUTES, COLUMNS, FORMAT


def structure_faults(file: Any) -> list[str]:
    """Return what an open ``zoo.h5`` lacks or has wrong, without reading its arrays.

    A file of another format version gets that one fault, as nothing else is known about it.
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
    names = {column.name for column in COLUMNS}
    faults += [f"unknown dataset {name!r}" for name in sorted(set(file) - names)]
    return faults + _dataset_faults(file)


def _dataset_faults(file: Any) -> list[str]:
    import h5py

    faults, lengths = [], {}
    for column in COLUMNS:
        dataset = file.get(column.name)
        if not isinstance(dataset, h5py.Dataset):
            faults.append(f"dataset {column.name!r} ({column.meaning}) is missing")
            continue
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
    """Return what is wrong with the values of columns whose structure is right."""
    faults = _layout_faults(columns["weights"], attributes["layout"])
    faults += _recipe_faults(columns, attributes)
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


def _layout_faults(weights: npt.NDArray[Any], text: str) -> list[str]:
    try:
        layout = Layout.from_json(text)
    except FormatError as error:
        return [str(error)]
    if layout.n_parameters != weights.shape[1]:
        return [f"weights: {weights.shape[1]} parameters, the layout has {layout.n_parameters}"]
    return []


def _recipe_faults(columns: Columns, attributes: Mapping[str, Any]) -> list[str]:
    """Check that the recipe is TOML and speaks of this zoo; its other keys are its builder's."""
    try:
        recipe = tomllib.loads(attributes["recipe"])
    except tomllib.TOMLDecodeError as error:
        return [f"attribute 'recipe': not TOML: {error}"]
    n_models = len(np.unique(columns["model"]))
    last = int(columns["epoch"].max())
    expected = {"id": attributes["id"], "models": n_models, "epochs": last}
    return [
        f"the recipe says {key} = {recipe[key]!r}, the file holds {value!r}"
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
