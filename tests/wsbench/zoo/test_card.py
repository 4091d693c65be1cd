import os
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml

import wsbench
from wsbench.zoo.card import card
from wsbench.zoo.schema import COLUMNS

ORIGIN = wsbench.DataOrigin(
    name="the test data",
    url="https://example.org/data",
    license="CC0-1.0",
    preparation="Pixels in [0, 1].",
    n_train=1437,
    n_test=360,
)
TRAINING = """id = "made-up-v1"
title = 'ten "models": a test'
models = 10
epochs = 4

[training]
learning_rate = 3e-2
batch_size = 4
"""


@pytest.fixture
def text(make_zoo) -> str:
    folder = make_zoo(recipe=TRAINING, data=ORIGIN, publisher="Somebody")
    return (folder / "README.md").read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    return re.split(r"^## ", text.split(f"## {heading}\n")[1], flags=re.MULTILINE)[0]


def table(text: str) -> list[list[str]]:
    """The cells of a Markdown table but for its heading; all rows must have as many."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1
    return rows[2:]


def test_card__has_the_front_matter_that_hugging_face_reads(text):
    front_matter = yaml.safe_load(text.split("---\n")[1])
    assert front_matter["pretty_name"] == 'made-up-v1: ten "models": a test'
    assert front_matter["license"] == "cc-by-4.0"
    assert front_matter["size_categories"] == ["n<1K"]
    assert "weight-space" in front_matter["tags"]
    assert front_matter["configs"] == [{"config_name": "default", "data_files": "zoo.h5"}]


@pytest.mark.parametrize(
    ("n_rows", "category"),
    [(999, "n<1K"), (1000, "1K<n<10K"), (12_750, "10K<n<100K"), (10**6, "n>1M")],
)
def test_card__names_the_size_category_of_its_rows(made_up_zoo, n_rows, category):
    metadata = wsbench.ZooMetadata("a-v1", TRAINING, made_up_zoo.layout, "MIT", "a test")
    columns = {name: np.zeros(n_rows, array.dtype) for name, array in made_up_zoo.columns.items()}
    assert f"\n- {category}\n" in card(metadata, columns, "sha256:0")


def test_card__says_what_the_zoo_holds(text):
    assert '# made-up-v1: ten "models": a test\n' in text
    assert "| models | 10 (6 train, 2 val, 2 test) |" in text
    assert "| checkpoints | 50, a row each |" in text
    assert "| `b` | 3 × 2 | output, hidden-1 | 6 |" in text
    assert "| learning rate | 0.03 |" in text
    assert re.findall(r"```toml\n(.*?)```", text, re.DOTALL) == [TRAINING]


def test_card__names_the_content_digest(make_zoo):
    folder = make_zoo()
    assert wsbench.load_zoo(folder).content_digest in (folder / "README.md").read_text()


def test_card__has_a_row_for_each_column_of_the_schema(text):
    cells = table(section(text, "Columns of `zoo.h5`"))
    assert [(row[0], row[3]) for row in cells] == [(f"`{c.name}`", c.meaning) for c in COLUMNS]
    assert [row[1] for row in cells] == [np.dtype(column.dtype).name for column in COLUMNS]


def test_card__shows_the_accuracies_that_the_columns_hold(text, made_up_zoo):
    cells = table(section(text, "Test accuracy"))
    assert [row[0] for row in cells] == ["0", "1", "2", "4"]  # those of 0, 1, 2, 5, … that are
    for epoch, *shown in cells:
        accuracy = made_up_zoo.test_accuracy[made_up_zoo.epoch == int(epoch)]
        expected = [accuracy.mean(), accuracy.min(), accuracy.max()]
        np.testing.assert_allclose([float(x) for x in shown], expected, atol=0.0006)


def test_card__names_origin_and_licence_of_the_data(text):
    data = section(text, "Data and splits")
    assert "[the test data](https://example.org/data)" in data
    assert "1,437 samples train, 360 give test loss" in data
    assert "- The zoo: CC-BY-4.0.\n" in text
    assert re.search(r"- The data, .*: CC0-1\.0\.\n", text)


def test_card__says_how_to_build_the_zoo_again(text, make_zoo):
    assert "    wsbench build made-up-v1\n" in text
    unpublished = make_zoo("other", recipe=TRAINING).joinpath("README.md").read_text()
    assert "    wsbench build ./made-up-v1.toml\n" in unpublished


def test_card__leaves_out_what_a_zoo_does_not_say(make_zoo):
    text = make_zoo().joinpath("README.md").read_text(encoding="utf-8")  # neither data nor training
    assert "# made-up-v1: made-up-v1\n" in text
    assert not re.search("Training|trained on|wsbench build|None|nan", text)


def test_folder__of_the_same_zoo_has_the_same_bytes(make_zoo):
    first, second = make_zoo("first", data=ORIGIN), make_zoo("second", data=ORIGIN)
    names = sorted(path.name for path in first.iterdir())
    assert names == ["README.md", "croissant.json", "manifest.json", "probe.npz", "zoo.h5"]
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


@pytest.mark.parametrize("name", ["README.md", "croissant.json"])
def test_manifest__covers_card_and_croissant(make_zoo, name):
    folder = make_zoo()
    (folder / name).write_text("edited")
    (files,) = wsbench.verify_zoo(folder).failed
    assert files.name == "files"
    assert files.findings[0].startswith(f"{name}: ")


def test_snippets__run_offline_as_they_stand_in_the_card(make_zoo, tmp_path):
    folder = make_zoo("home/zoos/made-up-v1")  # where WSBENCH_HOME makes it known by its id
    snippets = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    assert len(snippets) == 2
    program = """
{}
assert weights.shape == (2, 12), weights.shape
assert sorted(set(model.tolist())) == sorted(set(zoo.model[zoo.split == 2].tolist()))
{}
assert weights.shape == (12,) and weights.dtype == "float32"
assert (int(model), int(epoch)) == (9, 4)
import os
assert load_dataset(os.getcwd(), split="train").num_rows == 50  # as Hugging Face's hub would
""".format(*snippets)
    environment = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
