"""Held against the specification by hand: `mlcroissant`, its reference implementation, is heavy.

With it (1.1.1, outside of this project's environment) the description of digits-cnn-v1 was valid,
but for a warning that datePublished is recommended.
"""

import hashlib
import json
from collections.abc import Iterator

import numpy as np
import pytest

import wsbench
from wsbench.zoo.schema import COLUMNS

ORIGIN = wsbench.DataOrigin("the test data", "https://example.org", "CC0-1.0", "None.", 10, 10)

# Croissant 1.1, "Dataset-level information": required, and what this project adds of recommended.
REQUIRED = {
    "@context": dict, "@type": str, "conformsTo": str, "description": str, "license": str,
    "name": str, "url": str, "creator": dict, "distribution": list,
    "version": str, "citeAs": str, "keywords": list, "recordSet": list,
}  # fmt: skip
CROISSANT_TERMS = {
    "arrayShape", "citeAs", "column", "dataType", "extract", "field", "fileObject", "isArray",
    "key", "recordSet", "source",
}  # fmt: skip


@pytest.fixture
def folder(make_zoo):
    return make_zoo(data=ORIGIN, publisher="Somebody")


@pytest.fixture
def content(folder):
    return json.loads((folder / "croissant.json").read_text(encoding="utf-8"))


def nodes(value: object) -> Iterator[dict]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from nodes(item)


def test_croissant__has_every_required_property(content):
    for name, kind in REQUIRED.items():
        assert isinstance(content[name], kind), name
        assert content[name], name
    assert content["@type"] == "sc:Dataset"
    assert content["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert content["license"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    assert content["creator"] == {"@type": "sc:Organization", "name": "Somebody"}
    assert content["isBasedOn"]["license"] == "https://spdx.org/licenses/CC0-1.0.html"


def test_croissant__defines_the_terms_it_uses_in_its_context(content):
    context = content.pop("@context")
    used = {key for node in nodes(content) for key in node}
    for term in used & CROISSANT_TERMS:
        definition = context[term]
        identifier = definition["@id"] if isinstance(definition, dict) else definition
        assert identifier == f"cr:{term}"
    assert context["conformsTo"] == "dct:conformsTo"
    assert used >= CROISSANT_TERMS


def test_croissant__has_unique_ids_and_refers_only_to_them(content):
    del content["@context"]
    defined = [node["@id"] for node in nodes(content) if "@id" in node and "@type" in node]
    assert len(defined) == len(set(defined))
    references = {node["@id"] for node in nodes(content) if set(node) == {"@id"}}
    assert references
    assert references <= set(defined)


def test_distribution__has_size_and_sha256_of_the_files(folder, content):
    assert [file["@id"] for file in content["distribution"]] == ["zoo.h5", "probe.npz"]
    for file in content["distribution"]:
        data = (folder / file["contentUrl"]).read_bytes()
        assert file["@type"] == "cr:FileObject"
        assert file["sha256"] == hashlib.sha256(data).hexdigest()
        assert file["contentSize"] == f"{len(data)} B"


def test_record_set__has_a_field_for_each_column_of_the_schema(content):
    (records,) = content["recordSet"]
    assert records["key"] == [{"@id": "checkpoints/model"}, {"@id": "checkpoints/epoch"}]
    for column, field in zip(COLUMNS, records["field"], strict=True):
        kind = {"f": "sc:Float", "i": "sc:Integer", "u": "sc:Integer"}[np.dtype(column.dtype).kind]
        assert (field["@type"], field["name"]) == ("cr:Field", column.name)
        assert field["@id"] == f"checkpoints/{column.name}"
        assert field["dataType"] == kind
        assert column.meaning in field["description"]
        assert field["source"]["fileObject"] == {"@id": "zoo.h5"}
        assert field["source"]["extract"] == {"column": column.name}
    assert records["field"][0]["arrayShape"] == "12"
    assert sum("isArray" in field for field in records["field"]) == 1


def test_citation__names_zoo_publisher_and_digest(folder, content):
    digest = wsbench.load_zoo(folder).content_digest
    assert content["citeAs"].startswith("@misc{made-up-v1, author = {{Somebody}}, ")
    assert digest in content["citeAs"]
    assert content["identifier"] == digest
    assert content["citeAs"].count("{") == content["citeAs"].count("}")


def test_croissant__claims_nobody_and_no_data_where_the_zoo_does_not(make_zoo):
    content = json.loads((make_zoo() / "croissant.json").read_text(encoding="utf-8"))
    assert not {"creator", "publisher", "isBasedOn"} & set(content)
    assert "author" not in content["citeAs"]


def test_version__is_that_of_the_id(make_zoo):
    folder = make_zoo(id="made-up-v3", recipe='id = "made-up-v3"')
    assert json.loads((folder / "croissant.json").read_text())["version"] == "3.0.0"
