"""Records of older formats and versions, updated from their answers or refused."""

import json
from pathlib import Path

import pytest

import wsbench
from support.zoos import write_made_up_zoo
from wsbench.tasks import identification, ordering, robustness
from wsbench_leaderboard.board.folder import check_folder
from wsbench_leaderboard.board.restamp import restamp

NAMED = "### Tasks\n\n- Epochs that are equal count half (ordering, version 3).\n"
SUITE = wsbench.find_suite(None, ["identification", "ordering"], ["none", "permute", "int8"])


@pytest.fixture(scope="session")
def svd_evaluations(tmp_path_factory) -> list[wsbench.Evaluation]:
    """A method with its default k = 50, and with k = 5."""
    zoo = wsbench.load_zoo(write_made_up_zoo(tmp_path_factory.mktemp("svd") / "zoo"))
    methods = [wsbench.load_method("svd", given) for given in ({}, {"k": 5})]
    return [wsbench.evaluate(method, zoo, suite=SUITE) for method in methods]


@pytest.fixture(autouse=True)
def version_1(monkeypatch):
    """Tasks of version 1, as they were when records of format 1 were written."""
    for task in (identification, ordering, robustness):
        monkeypatch.setattr(task, "VERSION", 1)


@pytest.fixture
def svd(svd_evaluations, tmp_path) -> Path:
    """The record of svd with its default, alone in a folder."""
    return wsbench.save_record(svd_evaluations[0], tmp_path / "records").path


@pytest.fixture
def ordering_3(monkeypatch):
    """Another way to score ordering, as version 3."""
    scores, by_model = ordering.scores, ordering.by_model
    monkeypatch.setattr(ordering, "VERSION", 3)
    monkeypatch.setattr(ordering, "by_model", lambda *a: by_model(*a) / 2)
    monkeypatch.setattr(
        ordering, "scores", lambda *a: scores(*a) | {"ordered_pairs": wsbench.Score(0.125)}
    )


def files(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """Return every file with its content, and when it was written."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in found}


def boast(part, group, name, value=0.987):
    return lambda content: content[part][group][name].update(value=value)


# --- format 1 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [0, 1])
def test_restamp__format_1_becomes_what_is_written_today(
    svd_evaluations, tmp_path, as_format_1, which
):
    """Every byte: all parameters, and the scores to the last digit."""
    path = wsbench.save_record(svd_evaluations[which], tmp_path / "records").path
    written = path.read_bytes()
    older = as_format_1(path)
    assert wsbench.load_record(older).is_upgraded
    assert wsbench.load_record(older).content.method.parameters == ({}, {"k": 5})[which]
    (done,) = restamp(tmp_path / "records", "")
    assert (done.before, done.after, done.n_changed) == (older, path, 0)
    assert path.read_bytes() == written
    assert not older.exists()
    record = wsbench.load_record(path)
    assert not record.is_upgraded
    assert record.content.method.parameters == {"k": (50, 5)[which]}
    assert record.content.method.settings == ([], ["k"])[which]
    assert record.label == ("svd", "svd k=5")[which]


def test_restamp__a_parameter_set_to_its_default_is_no_setting(svd, as_format_1):
    as_format_1(svd, lambda content: content["method"].update(parameters={"k": 50}))
    (done,) = restamp(svd.parents[1], "")
    assert done.after == svd


@pytest.mark.parametrize(
    "change",
    [{"version": "0"}, {"spec": "gone"}, {"spec": "random"}, {"spec": "wsbench_baselines.svd:SVD"}],
)
def test_restamp__takes_defaults_only_from_the_installed_method_of_this_version(
    svd, as_format_1, change
):
    as_format_1(svd, lambda content: content["method"].update(change))
    (done,) = restamp(svd.parents[1], "")
    assert wsbench.load_record(done.after).content.method.parameters == {}


@pytest.mark.parametrize("spec", ["mine.py:run", "mine:run", "svd"])
def test_restamp__runs_nothing_that_a_record_names(svd, as_format_1, monkeypatch, spec):
    module = svd.parent / "mine.py"
    module.write_text("import pathlib\npathlib.Path('ran').touch()\ndef run(x): pass\n")
    monkeypatch.chdir(svd.parent)
    monkeypatch.syspath_prepend(svd.parent)
    as_format_1(svd, lambda c: c["method"].update(spec=spec, parameters={"more": "x"}))
    (done,) = restamp(svd.parents[1], "")
    assert not Path("ran").exists()
    assert wsbench.load_record(done.after).content.method.parameters["more"] == "x"


def test_restamp__the_board_refuses_format_1_and_its_suite(board, victim, as_format_1):
    """Suites had no tracks then: a record of one that has is evaluated again."""
    older = as_format_1(victim)
    (problem,) = check_folder(board).problems
    assert problem.file == f"made-up-v1/{older.name}"
    assert problem.message.startswith("older format, of an older suite; evaluate again; suite: ")
    older.unlink()
    assert [p.message for p in check_folder(board).problems] == [
        "answers without a record; remove them"
    ]


# --- scores that are not those of the answers ----------------------------------------------------


def test_restamp__refuses_a_score_that_was_typed_in(svd, rewrite):
    path = rewrite(svd, boast("scores", "ordering/none", "ordered_pairs"))
    before = files(path.parent)
    with pytest.raises(wsbench.IntegrityError) as error:
        restamp(path.parent, NAMED)
    assert f"{path}: scores.ordering/none.ordered_pairs is 0.987, the answers give 0." in str(
        error.value
    )
    assert 'raise the version of ordering and name it in CHANGELOG.md ("ordering, v' in str(
        error.value
    )
    assert files(path.parent) == before


@pytest.mark.parametrize("part", ["tasks", "robustness"])
def test_restamp__refuses_a_score_that_was_typed_in_in_format_1(svd, as_format_1, part):
    group, name = {
        "tasks": ("identification/permute", "map_at_r"), "robustness": ("ordering", "symmetry")
    }[part]  # fmt: skip
    path = as_format_1(svd, boast(part, group, name))
    with pytest.raises(wsbench.IntegrityError, match=rf"{group}\.{name} is 0.987.*, the answers"):
        restamp(path.parent, NAMED)


def test_restamp__refuses_the_scores_of_other_answers(board):
    """A refused record leaves the others as they are, also those before it."""
    euclidean, random = sorted(board.glob("*/*.json"))
    (answers,) = board.glob("*/random-*.npz")
    answers.write_bytes(next(board.glob("*/euclidean-*.npz")).read_bytes())
    with pytest.raises(wsbench.IntegrityError, match=r"not the answers that random-"):
        restamp(board, "")
    assert (euclidean.exists(), random.exists()) == (True, True)
    assert len(list(board.glob("*/*.json"))) == 2


# --- another version of a task -------------------------------------------------------------------


def test_restamp__raised_version_with_changed_scores_needs_its_line(svd, ordering_3):
    before = files(svd.parent)
    for text in (
        "",
        "- ordering scores equal epochs as half",
        "- identification, version 3",
        "- ordering, version 2",
        "- ordering, version 30",
        "- ordering, version 3.1",
        "- reordering, version 3",
        "- identification and ordering of version 3",
    ):
        with pytest.raises(wsbench.IntegrityError, match=r'in CHANGELOG.md \("[a-z]+, version N"'):
            restamp(svd.parent, text)
    assert files(svd.parent) == before


@pytest.mark.parametrize("text", [NAMED, "Ordering, version 3.", "ordering, version 3: x"])
def test_restamp__raised_version_with_its_line_gives_the_scores_of_today(svd, ordering_3, text):
    older = wsbench.load_record(svd)
    assert older.is_stale
    (done,) = restamp(svd.parent, text)
    record = wsbench.load_record(done.after)
    assert done.n_changed > 2
    assert not svd.exists()
    assert not record.is_stale
    assert record.content.versions == {"identification": 1, "ordering": 3, "robustness": 1}
    assert record.scores == wsbench.rescore(record)
    assert record.scores["ordering/none"]["ordered_pairs"].value == 0.125
    names = ("identification/none", "identification/permute")
    assert [record.scores[name] for name in names] == [older.scores[name] for name in names]
    assert record.robustness["identification"] == older.robustness["identification"]


def test_restamp__raised_version_accounts_for_no_other_task(svd, rewrite, ordering_3):
    path = rewrite(svd, boast("scores", "identification/none", "purity"))
    with pytest.raises(wsbench.IntegrityError, match=r"raise the version of identification and"):
        restamp(path.parent, NAMED)


def test_restamp__raised_version_with_the_same_scores_needs_no_line(svd, monkeypatch):
    monkeypatch.setattr(ordering, "VERSION", 3)
    (done,) = restamp(svd.parent, "")
    record = wsbench.load_record(done.after)
    assert (done.n_changed, record.content.versions["ordering"]) == (0, 3)
    assert done.after != svd


def test_restamp__robustness_has_a_version_of_its_own(svd, monkeypatch):
    computed = robustness.robustness
    monkeypatch.setattr(robustness, "VERSION", 3)
    monkeypatch.setattr(
        robustness, "robustness", lambda *a: wsbench.Score((computed(*a).value or 0) / 2)
    )
    with pytest.raises(wsbench.IntegrityError, match=r"robustness\.identification\.compression is"):
        restamp(svd.parent, NAMED)
    (done,) = restamp(svd.parent, "- The mean of halves (robustness, version 3)")
    assert done.n_changed == 4
    assert not wsbench.load_record(done.after).is_stale


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda c: c["versions"].update(ordering=4),
            "versions.ordering: got 4, and this version of wsbench has 1; install a newer one",
        ),
        (
            lambda c: c["suite"].update(tasks=["luck"]),
            "suite.tasks: this version of wsbench has no task 'luck'; install a newer one",
        ),
    ],
)
def test_restamp__refuses_records_of_a_newer_wsbench(svd, rewrite, edit, message):
    path = rewrite(svd, edit)
    with pytest.raises(wsbench.IntegrityError, match=message):
        restamp(path.parent, NAMED)


# --- again, and interrupted ----------------------------------------------------------------------


def test_restamp__twice_changes_nothing(board, ordering_3):
    restamp(board, NAMED)
    before = files(board)
    again = restamp(board, NAMED)
    assert [(done.before, done.n_changed) for done in again] == [
        (path, 0) for path in sorted(board.glob("*/*.json"))
    ]
    assert files(board) == before


class Killed(BaseException):
    """The process ends here."""


def interrupt(board, changelog, monkeypatch) -> None:
    """Restamp in a process that ends when the first old record is to be removed."""
    unlink = Path.unlink

    def kill(path, missing_ok=False):
        if path.suffix == ".json" and path.exists():
            raise Killed
        unlink(path, missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", kill)
        with pytest.raises(Killed):
            restamp(board, changelog)


def test_restamp__interrupted_is_finished_by_the_next_call(svd, as_format_1, monkeypatch):
    older, records = as_format_1(svd), svd.parents[1]
    interrupt(records, "", monkeypatch)
    assert svd.exists()
    assert older.exists()
    restamp(records, "")
    assert not older.exists()
    assert [path.name for path in records.glob("*/*.json")] == [svd.name]


def test_restamp__interrupted_between_versions_leaves_a_folder_that_check_explains(
    board, ordering_3, monkeypatch
):
    before = sorted(board.glob("*/*.json"))
    interrupt(board, NAMED, monkeypatch)
    (problem,) = check_folder(board).problems
    (added,) = set(board.glob("*/*.json")) - set(before)
    names = {problem.file.rpartition("/")[2], problem.message.partition(";")[0].split()[-1]}
    assert names == {added.name, before[0].name}
    assert problem.message.endswith("; wsbench leaderboard restamp removes the stale one")
    restamp(board, NAMED)
    assert check_folder(board).problems == []
    assert len(list(board.glob("*/*.json"))) == 2


# --- the command ---------------------------------------------------------------------------------


def test_command__restamp_says_what_it_did(run, svd, svd_evaluations, as_format_1):
    records = svd.parents[1]
    wsbench.save_record(svd_evaluations[1], records)
    older = as_format_1(svd)
    assert run("leaderboard", "restamp", records) == (
        0, "2 records, 1 updated, 0 scores changed\n", ""
    )  # fmt: skip
    again = run("leaderboard", "restamp", records)
    assert again[1] == ("2 records, 0 updated, 0 scores changed\n")
    as_format_1(svd)
    status, out, _ = run("leaderboard", "restamp", records, "--json")
    content = json.loads(out)
    assert (status, content["changed"]) == (0, 0)
    assert content["records"][str(older)] == str(svd)


def test_command__restamp_of_a_clone_without_records_does_nothing(run, tmp_path, monkeypatch):
    (tmp_path / "leaderboard" / "wsbench_leaderboard").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert run("leaderboard", "restamp") == (0, "0 records, 0 updated, 0 scores changed\n", "")


def test_command__restamp_reads_the_changelog(run, board, ordering_3, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    complaint = run("leaderboard", "restamp", board).complaint()
    assert "raise the version of ordering and name it in CHANGELOG.md" in complaint
    (tmp_path / "CHANGELOG.md").write_text(NAMED)
    status, out, _ = run("leaderboard", "restamp", board)
    assert status == 0
    assert out.startswith("2 records, 2 updated, ")
    (tmp_path / "OTHER.md").write_text("")
    assert run("leaderboard", "restamp", board, "--changelog", "OTHER.md")[0] == 0


def test_command__restamp_wrong_input_is_one_line(run, svd, tmp_path):
    assert "no such folder of records" in run("leaderboard", "restamp", tmp_path / "no").complaint()
    svd.write_text("{")
    assert "not a record" in run("leaderboard", "restamp", svd.parent).complaint()
