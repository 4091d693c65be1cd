"""A folder of records."""

from pathlib import Path

import pytest

import wsbench


@pytest.fixture
def folder(make_zoo, tmp_path) -> Path:
    """Three methods' records on one zoo, one of these on another, and one of a failure."""
    (tmp_path / "bad.py").write_text("class Bad:\n    def transform(self, c): return None\n")
    zoos = [
        wsbench.load_zoo(make_zoo(models=30)),
        wsbench.load_zoo(make_zoo(id="other-v1", recipe="")),
    ]
    for spec, zoo in [
        ("random", zoos[0]), ("euclidean", zoos[0]), ("svd", zoos[0]), ("euclidean", zoos[1]),
        (f"{tmp_path}/bad.py:Bad", zoos[0]),
    ]:  # fmt: skip
        wsbench.save_record(wsbench.evaluate(spec, zoo), tmp_path / "records")
    return tmp_path / "records"


@pytest.fixture
def rewrite():
    """Change a record, and give it the name of its new content, as one who knows how could."""
    import json

    from wsbench import records

    def change(path: Path, edit) -> Path:
        content = json.loads(path.read_text())
        edit(content)
        path.unlink()
        name = f"{content['method']['name']}-{records._digest(content)[:12]}.json"
        path.with_name(name).write_text(json.dumps(content))
        return path.with_name(name)

    return change
