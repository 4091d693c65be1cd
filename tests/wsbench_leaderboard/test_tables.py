import dataclasses
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

import wsbench
from wsbench import Score
from wsbench_leaderboard.board.collect import RescoredRecord, collect
from wsbench_leaderboard.tables import BEGIN, END, escaped, markdown, summary, with_tables

TRACKS = {
    "overall": {
        "as-written": Score(1.0, (1.0, 1.0)),
        "symmetry": Score(0.12345, (0.0, 1.0)),
        "compression": Score(None),
        "both": Score(0.0),
    },
    "precedence": {"overall": Score(-0.5, (-1.0, 0.0))},
    "retrieval": {"overall": Score(-0.0004)},
    "ordering": {"overall": Score(0.25)},
}
HEAD = [
    "| rank | method | overall [95 %] | as written | symmetry | compression | both | precedence"
    " | retrieval | ordering |",
    "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|",
]
REST = "1.000 | 0.123 | – | 0.000 | -0.500 | 0.000 | 0.250 |"


def made(value=0.5, stale=False, name="mine", zoo="a-v1", digest="sha256:0", **changes):
    """Return a record's results; of its content only what the changes say is not as usual."""
    method = {"name": name, "version": "1", "description": "", "spec": name, "parameters": {}}
    method |= {key: [] for key in ("settings", "invariances", "measured_invariances", "needs")}
    content = {
        "format": 2,
        "method": method | {"code_sha256": "0" * 64},
        "zoo": {"id": zoo, "content_digest": digest},
        "suite": {"name": "standard", "version": 2, "tasks": ["ordering"], "perturbations": []},
        "seed": 0,
        "versions": wsbench.task_versions(("ordering",)) | ({"ordering": 0} if stale else {}),
        "environment": {"python": "", "platform": "", "cpu": "", "n_cpus": 1},
    }
    content["environment"] |= {"packages": {}, "variables": {}}
    content |= {key: {} for key in ("scores", "robustness", "accuracy", "seconds")}
    content |= dict.fromkeys(("error", "cost", "answers"))
    for key, change in changes.items():
        content[key] = content[key] | change if isinstance(change, dict) else change
    overall = {"overall": Score(value, (0.25, 0.75))} | TRACKS["overall"]
    by_model = {"overall": np.array([value, value - 0.01] * 3)}
    typed = msgspec.convert(content, wsbench.RecordContent)
    record = wsbench.Record(Path(f"{zoo}/{name}-{value}.json"), typed)
    return RescoredRecord(record, {}, {}, TRACKS | {"overall": overall}, by_model)


def test_markdown__is_a_table_for_each_zoo_best_first():
    results = [made(0.5, name="worse"), made(0.75, name="better"), made(zoo="b-v1")]
    assert markdown(results).splitlines() == [
        "### a-v1",
        "",
        *HEAD,
        f"| 1 | better | 0.750 [0.250, 0.750] | {REST}",
        f"| 2 | worse | 0.500 [0.250, 0.750] | {REST}",
        "",
        "### b-v1",
        "",
        *HEAD,
        f"| 1 | mine | 0.500 [0.250, 0.750] | {REST}",
    ]


def test_markdown__begins_with_mnist_and_ends_with_digits():
    zoos = ["digits-cnn-v1", "mnist-mlp-v1", "digits-mlp-v2", "mnist-cnn-v1"]
    shown = markdown([made(zoo=zoo) for zoo in zoos])
    titles = [line.removeprefix("### ") for line in shown.splitlines() if line.startswith("#")]
    assert titles == ["mnist-cnn-v1", "mnist-mlp-v1", "digits-cnn-v1", "digits-mlp-v2"]


def test_markdown__marks_stale_rows_and_does_not_rank_them():
    row = markdown([made(stale=True)]).splitlines()[-1]
    assert row.startswith("| *–* | *mine (stale)* | *0.500 [0.250, 0.750]* |")


def test_markdown__puts_transductive_methods_last_and_marks_supervised_ones():
    results = [
        made(0.75, name="apart", is_transductive=True),
        made(0.5, name="taught", method={"needs": ["labels"]}),
        made(0.25, name="plain"),
    ]
    rows = [row.split(" | ")[:2] for row in markdown(results).splitlines()[-3:]]
    assert rows == [
        ["| 1", "taught (supervised)"], ["| 2", "plain"], ["| –", "apart (transductive)"]
    ]  # fmt: skip


def test_summary__is_one_table_methods_by_zoos_the_best_on_average_first():
    results = [
        made(0.25, name="worse", zoo="a-v1"), made(0.5, name="worse", zoo="b-v1"),
        made(0.75, name="better", zoo="b-v1"), made(0.5, name="better", zoo="a-v1"),
        made(0.9, name="partial", zoo="b-v1", is_transductive=True),
        made(1.0, name="old", zoo="a-v1", stale=True),
        made(1.0, name="easy", zoo="a-v1", suite={"name": "smoke"}),
    ]  # fmt: skip
    assert summary(results).splitlines() == [
        "| method | a-v1 | b-v1 | seconds |",
        "|---|---:|---:|---:|",
        "| better | 0.500 | 0.750 | – |",
        "| partial (transductive) | – | 0.900 | – |",
        "| worse | 0.250 | 0.500 | – |",
    ]


def test_summary__of_nothing_says_so():
    assert summary([]) == "No records yet.\n"


def test_markdown__shows_an_interval_of_ranks():
    tied = [made(0.5), made(0.5, name="tied")]
    assert [row.split(" | ")[0] for row in markdown(tied).splitlines()[-2:]] == ["| 1–2"] * 2


def test_markdown__has_no_rank_and_no_interval_on_two_test_models():
    few = made(0.5)
    few.by_model["overall"] = np.array([0.5, 0.5])
    few.tracks["overall"]["overall"] = Score(0.5)
    assert markdown([few]).splitlines()[-1].startswith("| – | mine | 0.500 | 1.000 | 0.123 |")


def test_markdown__tells_what_is_not_as_usual():
    rescored = made(
        method={"version": "2", "parameters": {"k": 5}, "settings": ["k"]},
        seed=3,
        suite={"name": "smoke"},
    )
    row = markdown([rescored]).splitlines()[-1]
    assert row.startswith("| 1 | mine k=5 (version 2, seed 3, suite smoke 2) |")


def test_markdown__shows_what_a_smaller_suite_asks():
    rescored = dataclasses.replace(made(), tracks={}, scores={"ordering/none": {}}, by_model={})
    assert markdown([rescored]).splitlines()[-1] == "| – | mine" + " | –" * 8 + " |"


def test_markdown__keeps_zoos_of_one_name_apart():
    other = made(digest="sha256:1", name="other")
    other.by_model["overall"] = np.array([0.1])  # of other models: they cannot be compared
    assert markdown([made(), other, made(name="third")]).count("### a-v1") == 2


def test_markdown__of_nothing_says_so():
    assert markdown([]) == "No records yet.\n"


def test_markdown__same_records_same_bytes(folder, tmp_path):
    elsewhere = shutil.copytree(folder, tmp_path / "elsewhere")
    assert markdown(collect(elsewhere)).encode() == markdown(collect(folder)).encode()


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "a | b", "`code`", "*b* _i_ ~s~", "[x](javascript:alert(1))",
        "![](http://x.org/y.png)", "https://x.org", "www.x.org", "a@x.org", "a\\|b", "&lt;", "# h",
        END,
    ],
)  # fmt: skip
def test_escaped__leaves_no_markup_and_no_link(text):
    shown = escaped(text)
    assert not set(shown) & set("<>|`*_~[]!@:/\\")
    assert "." not in shown
    assert all(part.startswith("#") for part in shown.split("&")[1:])
    import html

    assert html.unescape(shown) == text
    table = markdown([made(method={"parameters": {"k": text}, "settings": ["k"]})])
    assert table.splitlines()[-1].startswith(f"| 1 | mine k={shown} |")
    assert END not in table


def test_escaped__leaves_numbers_alone():
    assert escaped("svd-k k=0.5, x=-1") == "svd-k k=0.5, x=-1"


def test_with_tables__changes_only_what_is_between_the_markers(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"# before\n{BEGIN}\nold\n{END}\nafter\n")
    text = with_tables(path, "new\n")
    assert text == f"# before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    path.write_text(text)
    assert with_tables(path, "new\n") == text


@pytest.mark.parametrize("text", ["", f"{BEGIN}\n", f"{END}\n{BEGIN}\n"])
def test_with_tables__refuses_a_file_without_markers(tmp_path, text):
    path = tmp_path / "README.md"
    path.write_text(text)
    with pytest.raises(
        wsbench.FormatError, match="marker lines of the tables are missing; add <!-- tables"
    ):
        with_tables(path, "new\n")


def test_with_tables__refuses_what_is_no_text(tmp_path):
    (tmp_path / "README.md").write_bytes(b"\xff")
    with pytest.raises(wsbench.FormatError, match="not text"):
        with_tables(tmp_path / "README.md", "")
    with pytest.raises(wsbench.UnknownIdError, match="No such file"):
        with_tables(tmp_path / "gone.md", "")
