"""The ``croissant.json`` in a zoo's folder: MLCommons Croissant 1.1, from metadata and schema.

Croissant 1.1 cannot say how to read a dataset of HDF5, so fields name their column as those of a
table do. `datePublished` is left out, and so is `creator` for an unpublished zoo. The
specification:
https://raw.githubusercontent.com/mlcommons/croissant/main/docs/croissant-spec-1.1.md
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from wsbench.zoo.card import KEYWORDS, title
from wsbench.zoo.manifest import FileEntry
from wsbench.zoo.metadata import ZooMetadata
from wsbench.zoo.schema import COLUMNS, PROBE_FILE, ZOO_FILE, Column

# The specification's context without unused terms. Its reference implementation, mlcroissant,
# requires the https of schema.org.
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "isArray": "cr:isArray",
    "key": "cr:key",
    "recordSet": "cr:recordSet",
    "source": "cr:source",
}
_RECORDS = "checkpoints"
_NPZ = "https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html"
_FILES = {
    ZOO_FILE: ("application/x-hdf5", "all checkpoints, a row each"),
    PROBE_FILE: (_NPZ, "probe inputs for methods that need activations"),
}


def croissant(metadata: ZooMetadata, content_digest: str, files: Mapping[str, FileEntry]) -> str:
    """Return the Croissant description of a zoo as JSON text.

    Parameters
    ----------
    metadata
        The zoo's metadata.
    content_digest
        Its identity.
    files
        The entries of its files in the manifest, by name.
    """
    content = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": metadata.id,
        "description": f"{title(metadata)}: the weights of every model at every epoch of its"
        " training, from initialisation on, with standard splits, for weight-space methods.",
        "version": f"{metadata.id.rpartition('-v')[2]}.0.0",
        "identifier": content_digest,
        "license": _license_url(metadata.license),
        "url": "README.md",
        "keywords": list(KEYWORDS),
        "citeAs": _citation(metadata, content_digest),
        **_people(metadata),
        **_origin(metadata),
        "distribution": [_file(name, files[name]) for name in _FILES],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": _RECORDS,
                "name": _RECORDS,
                "description": "One record for each checkpoint, model by model, epochs ascending.",
                "key": [{"@id": f"{_RECORDS}/{name}"} for name in ("model", "epoch")],
                "field": [_field(column, metadata.layout.n_parameters) for column in COLUMNS],
            }
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _license_url(identifier: str) -> str:
    return f"https://spdx.org/licenses/{identifier}.html"


def _citation(metadata: ZooMetadata, content_digest: str) -> str:
    author = f"author = {{{{{metadata.publisher}}}}}, " if metadata.publisher else ""
    return (
        f"@misc{{{metadata.id}, {author}title = {{{{{metadata.id}: {title(metadata)}}}}},"
        f" howpublished = {{wsbench}}, note = {{{content_digest}}}}}"
    )


def _people(metadata: ZooMetadata) -> dict[str, Any]:
    if metadata.publisher is None:
        return {}
    organisation = {"@type": "sc:Organization", "name": metadata.publisher}
    return {"creator": organisation, "publisher": organisation}


def _origin(metadata: ZooMetadata) -> dict[str, Any]:
    if metadata.data is None:
        return {}
    data = metadata.data
    return {
        "isBasedOn": {
            "@type": "sc:Dataset",
            "name": data.name,
            "url": data.url,
            "license": _license_url(data.license),
        }
    }


def _file(name: str, entry: FileEntry) -> dict[str, Any]:
    encoding, description = _FILES[name]
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "description": description,
        "contentUrl": name,
        "contentSize": f"{entry.bytes} B",
        "encodingFormat": encoding,
        "sha256": entry.sha256,
    }


def _field(column: Column, n_parameters: int) -> dict[str, Any]:
    dtype = np.dtype(column.dtype)
    array = {"isArray": True, "arrayShape": str(n_parameters)} if column.axes == "np" else {}
    return {
        "@type": "cr:Field",
        "@id": f"{_RECORDS}/{column.name}",
        "name": column.name,
        "description": f"{column.meaning}; {dtype.name}",
        "dataType": "sc:Float" if dtype.kind == "f" else "sc:Integer",
        **array,
        "source": {"fileObject": {"@id": ZOO_FILE}, "extract": {"column": column.name}},
    }
