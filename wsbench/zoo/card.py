"""The dataset card of a zoo: the ``README.md`` in its folder, as Hugging Face reads it.

Everything in it follows from metadata, arrays and schema; the same zoo has the same card.
"""

import json
import math
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from wsbench.typing import Columns
from wsbench.zoo.metadata import ZooMetadata
from wsbench.zoo.schema import COLUMNS, PROBE_FILE, SPLITS, ZOO_FILE

KEYWORDS = ("weight-space", "model-zoo", "neural-network-weights", "training-trajectories")
_EPOCHS = (0, 1, 2, 5, 10, 20, 50)
_SIZE_CATEGORIES = {10**3: "n<1K", 10**4: "1K<n<10K", 10**5: "10K<n<100K", 10**6: "100K<n<1M"}


def card(metadata: ZooMetadata, columns: Columns, content_digest: str) -> str:
    """Return the card of a zoo as Markdown with a YAML front matter.

    Parameters
    ----------
    metadata
        What the zoo says about itself.
    columns
        Its columns but for the weights.
    content_digest
        Its identity.
    """
    recipe = _parsed(metadata.recipe)
    sections = [
        _front_matter(metadata, title(metadata), len(columns["model"])),
        _what_it_is(metadata, columns, content_digest),
        _architecture(metadata),
        _training(recipe),
        _data(metadata),
        _columns(),
        _accuracy(columns),
        _licence(metadata),
        _loading(metadata.id),
        _making(metadata, recipe),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def title(metadata: ZooMetadata) -> str:
    """Return the one line for people that the recipe holds, or the id."""
    return str(_parsed(metadata.recipe).get("title", metadata.id))


def _parsed(recipe: str) -> dict[str, Any]:
    try:
        return tomllib.loads(recipe)
    except tomllib.TOMLDecodeError:
        return {}  # verify tells; a card says what there is to say


def _front_matter(metadata: ZooMetadata, name: str, n_rows: int) -> str:
    size = next((name for limit, name in _SIZE_CATEGORIES.items() if n_rows < limit), "n>1M")
    lines = [
        "---",
        f"pretty_name: {json.dumps(f'{metadata.id}: {name}', ensure_ascii=False)}",
        f"license: {metadata.license.lower()}",
        "size_categories:",
        f"- {size}",
        "tags:",
        *(f"- {keyword}" for keyword in KEYWORDS),
        "configs:",
        "- config_name: default",
        f"  data_files: {ZOO_FILE}",
        "---",
    ]
    return "\n".join(lines)


def _what_it_is(metadata: ZooMetadata, columns: Columns, content_digest: str) -> str:
    model, epoch, split = columns["model"], columns["epoch"], columns["split"]
    n_models = len(np.unique(model))
    per_split = ", ".join(
        f"{len(np.unique(model[split == number]))} {name}" for name, number in SPLITS.items()
    )
    n_parameters = metadata.layout.n_parameters
    counts = [
        ("models", f"{n_models:,} ({per_split})"),
        ("epochs", f"{epoch.min()} to {epoch.max()}; 0 is initialisation"),
        ("checkpoints", f"{len(model):,}, a row each"),
        ("weights of a checkpoint", f"{n_parameters:,}, float32"),
        ("all weights", f"{len(model) * n_parameters * 4 / 1e6:,.0f} MB uncompressed"),
        ("content digest", f"`{content_digest}`"),
    ]
    return f"""# {metadata.id}: {title(metadata)}

A zoo of neural networks for weight-space methods, which look at the weights of networks instead of
their outputs: the whole training trajectory of every model, from initialisation on, with standard
splits.

{_table(("", ""), counts)}

The content digest is the zoo's identity: a sha256 over its columns and its recipe."""


def _architecture(metadata: ZooMetadata) -> str:
    layout = metadata.layout
    rows = [
        (f"`{t.name}`", " × ".join(map(str, t.shape)), ", ".join(t.axes), f"{t.start:,}")
        for t in layout.tensors
    ]
    convolutions = "".join(
        f"\n`{name}`: stride {c.stride}, padding {c.padding}, then max-pool {c.pool}."
        for name, c in layout.convolutions.items()
    )
    return f"""## Architecture

A row of `weights` holds these tensors one after the other, each row-major, as in a PyTorch
`state_dict`. The activation is {layout.activation}.{convolutions}
Permuting the units of a hidden layer, which is every axis of its name, leaves the network's
function as it is.

{_table(("tensor", "shape", "axes", "starts at"), rows)}"""


def _training(recipe: Mapping[str, Any]) -> str:
    if not isinstance(recipe.get("training"), dict):
        return ""
    rows = [(key.replace("_", " "), f"{value}") for key, value in recipe["training"].items()]
    return f"""## Training (λ)

The same for every model. Initial weights and the order of the data differ; both follow from the
recipe's seed and the model's number.

{_table(("", ""), rows)}"""


def _data(metadata: ZooMetadata) -> str:
    splits = """The splits are of models, never of checkpoints: 60 % train, 20 % val and 20 % test,
a fixed function of the zoo's id and the model's number."""
    if metadata.data is None:
        return f"## Splits\n\n{splits}"
    data = metadata.data
    return f"""## Data and splits

The models were trained on [{data.name}]({data.url}):
{data.n_train:,} samples train, {data.n_test:,} give test loss and test accuracy.
{data.preparation}
`{PROBE_FILE}` holds some of the test samples as probe inputs, for methods that need activations.

{splits}"""


def _columns() -> str:
    rows = [
        (f"`{c.name}`", np.dtype(c.dtype).name, "rows × weights" if c.axes == "np" else "rows",
         c.meaning)
        for c in COLUMNS
    ]  # fmt: skip
    return f"""## Columns of `{ZOO_FILE}`

One row for each checkpoint, model by model, epochs ascending; every column has as many rows.

{_table(("column", "dtype", "shape", "meaning"), rows)}"""


def _accuracy(columns: Columns) -> str:
    rows = []
    for epoch in sorted({*_EPOCHS, int(columns["epoch"].max())}):
        values = columns["test_accuracy"][columns["epoch"] == epoch]
        if len(values):
            mean = math.fsum(values) / len(values)
            rows.append((str(epoch), *(f"{x:.3f}" for x in (mean, values.min(), values.max()))))
    return f"""## Test accuracy

Over all models; the columns hold it for every epoch.

{_table(("epoch", "mean", "min", "max"), rows)}"""


def _licence(metadata: ZooMetadata) -> str:
    lines = ["## Licence", "", f"- The zoo: {metadata.license}."]
    if metadata.data:
        lines.append(f"- The data, of which `{PROBE_FILE}` holds some: {metadata.data.license}.")
    return "\n".join(lines)


def _loading(zoo_id: str) -> str:
    return f"""## Load

With wsbench, which finds or builds the zoo by its id, or takes the path of this folder:

```python
import wsbench

zoo = wsbench.load_zoo("{zoo_id}")
rows = zoo.rows("test", epochs=[int(zoo.epoch.max())])
weights, model = zoo.weights[rows], zoo.model[rows]
```

In this folder, with Hugging Face's `datasets` alone:

```python
from datasets import load_dataset

zoo = load_dataset("hdf5", data_files="{ZOO_FILE}", split="train")  # all rows, whatever their split
last = zoo.with_format("numpy")[-1]
weights, model, epoch = last["weights"], last["model"], last["epoch"]
```"""


def _making(metadata: ZooMetadata, recipe: Mapping[str, Any]) -> str:
    if "training" not in recipe:
        return ""
    command = metadata.id if metadata.publisher else f"./{metadata.id}.toml"
    return f"""## Build it again, verify it

The zoo is a pure function of its recipe, bit for bit, on any CPU and with any number of workers.

    wsbench build {command}
    wsbench verify {metadata.id} --retrain 2

The second checks files, format, digest and splits, and that scores and weights of some models,
computed again, agree in every bit. The recipe, `{metadata.id}.toml`:

```toml
{metadata.recipe.rstrip()}
```"""


def _table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heading = tuple(heading)
    lines = [heading, ("---",) * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
