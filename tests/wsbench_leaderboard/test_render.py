import dataclasses
import shutil

from wsbench import Score
from wsbench_leaderboard.collect import Row, collect
from wsbench_leaderboard.render import markdown

SCORES = {
    "identification": {
        "map_at_r": Score(0.5, (0.25, 0.75)), "rank1": Score(1.0), "ari": Score(None),
        "purity": Score(0.12345),
    },
    "ordering": {"kendall_tau": Score(-0.5, (-1.0, 0.0)), "ordered_pairs": Score(0.0)},
}  # fmt: skip
ROW = Row("a-v1", "mine", "2", SCORES, stale=False)


def test_markdown__is_a_table_for_each_zoo():
    text = markdown(
        [ROW, dataclasses.replace(ROW, stale=True), dataclasses.replace(ROW, zoo="b-v1")]
    )
    assert text.splitlines() == [
        "## a-v1",
        "",
        "| method | MAP@R | rank-1 | ARI | purity | tau | ordered pairs |",
        "|---|---:|---:|---:|---:|---:|---:|",
        "| mine 2 | 0.500 [0.250, 0.750] | 1.000 | inf | 0.123 | -0.500 [-1.000, 0.000] | 0.000 |",
        "| *mine 2 (stale)* | 0.500 [0.250, 0.750] | 1.000 | inf | 0.123 | -0.500 [-1.000, 0.000]"
        " | 0.000 |",
        "",
        "## b-v1",
        "",
        "| method | MAP@R | rank-1 | ARI | purity | tau | ordered pairs |",
        "|---|---:|---:|---:|---:|---:|---:|",
        "| mine 2 | 0.500 [0.250, 0.750] | 1.000 | inf | 0.123 | -0.500 [-1.000, 0.000] | 0.000 |",
    ]


def test_markdown__of_nothing_says_so():
    assert markdown([]) == "no records\n"


def test_markdown__same_records_same_bytes(folder, tmp_path):
    elsewhere = shutil.copytree(folder, tmp_path / "elsewhere")
    assert markdown(collect(elsewhere)).encode() == markdown(collect(folder)).encode()
