"""Files and format; claims about training are tested in tests/wsbench_zoos."""

import json
import os

import h5py
import numpy as np
import pytest

import wsbench

FILES = ("files", "probe", "format", "values", "digest")


def outcomes(verification: wsbench.Verification) -> dict[str, str]:
    return {check.name: check.outcome for check in verification.checks}


def failed(verification: wsbench.Verification) -> set[str]:
    return {check.name for check in verification.failed}


def findings(verification: wsbench.Verification, name: str) -> tuple[str, ...]:
    return next(check.findings for check in verification.checks if check.name == name)


def rewrite_manifest(folder, **changes):
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_verify_zoo__passes_a_whole_zoo_and_says_what_it_did_not_look_at(make_zoo):
    verification = wsbench.verify_zoo(make_zoo())
    assert not verification.failed
    assert not verification.is_damaged
    assert [check.name for check in verification.skipped] == ["published", "network", "scores"]
    assert outcomes(verification) | dict.fromkeys(FILES, "passed") == outcomes(verification)
    assert findings(verification, "published") == ("no installed package publishes made-up-v1",)
    (reason,) = findings(verification, "scores")
    assert reason.startswith("no installed package can train this recipe (recipe")


def test_verify_zoo__takes_folder_file_or_id(make_zoo):
    folder = make_zoo("home/zoos/made-up-v1")
    for zoo in (folder, str(folder), folder / "zoo.h5", "made-up-v1"):
        assert wsbench.verify_zoo(zoo).folder == folder


def test_verify_zoo__refuses_what_is_not_there(tmp_path):
    with pytest.raises(wsbench.FormatError, match="no such folder; verify takes an id or"):
        wsbench.verify_zoo(tmp_path / "nothing")
    with pytest.raises(wsbench.UnknownIdError, match="did you mean 'digits-mlp-v1'"):
        wsbench.verify_zoo("digit-mlp-v1")


@pytest.mark.parametrize("retrain", [-1, 11])
def test_verify_zoo__refuses_to_retrain_more_models_than_there_are(make_zoo, retrain):
    with pytest.raises(wsbench.ZooError, match=f"retrain: got {retrain}, "):
        wsbench.verify_zoo(make_zoo(), retrain=retrain)


def test_files__fails_for_an_edited_file(make_zoo):
    folder = make_zoo()
    with (folder / "README.md").open("a") as file:
        file.write("and more")
    verification = wsbench.verify_zoo(folder)
    assert failed(verification) == {"files"}
    assert verification.is_damaged


@pytest.mark.parametrize("name", ["probe.npz", "croissant.json"])
def test_files__fails_for_a_missing_file(make_zoo, name):
    folder = make_zoo()
    (folder / name).unlink()
    verification = wsbench.verify_zoo(folder)
    assert findings(verification, "files") == (f"{name}: missing; the manifest names it",)
    assert failed(verification) == ({"files", "probe"} if name == "probe.npz" else {"files"})


def test_files__fails_for_a_manifest_that_does_not_name_the_zoo(make_zoo):
    folder = make_zoo()
    rewrite_manifest(folder, files={})
    verification = wsbench.verify_zoo(folder)
    assert failed(verification) == {"files"}
    assert "manifest.json: does not name zoo.h5" in findings(verification, "files")


@pytest.mark.parametrize("text", ["", "[1]", '{"files": 3}', '{"files": {"zoo.h5": 1}}'])
def test_files__fails_for_what_is_no_manifest(make_zoo, text):
    folder = make_zoo()
    (folder / "manifest.json").write_text(text)
    verification = wsbench.verify_zoo(folder)
    assert failed(verification) == {"files"}
    (finding,) = findings(verification, "files")
    assert finding.startswith(f"{folder / 'manifest.json'}: not a manifest: ")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"format": 1', '"format": NaN', "NaN is not strict JSON"),
        ('"format": 1', '"format": true', "format: got True, expected `int`"),
        ('"format": 1', '"format": 1e999', "1e999 is beyond what a float holds"),
        ('"format": 1', '"format": 1, "format": 1', "the key 'format' stands twice"),
        ('"format": 1', '"format": 1, "more": 1', "object contains unknown field `more`"),
        ('"bytes": ', '"bytes": -', "expected `int` >= 0"),
        ('"sha256": "', '"sha256": "x', "expected `str` matching regex"),
    ],
)
def test_files__fails_for_a_manifest_that_is_not_of_its_types(make_zoo, old, new, problem):
    folder = make_zoo()
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace(old, new, 1))
    (finding,) = findings(wsbench.verify_zoo(folder), "files")
    assert problem in finding


def test_files__fails_for_another_format(make_zoo):
    folder = make_zoo()
    rewrite_manifest(folder, format=2)
    found = findings(wsbench.verify_zoo(folder), "files")
    assert found == ("manifest.json: format 2, expected 1",)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.mkdir()])
@pytest.mark.parametrize(
    ("name", "check"), [("zoo.h5", "format"), ("probe.npz", "probe"), ("manifest.json", "files")]
)
def test_verify_zoo__neither_waits_for_a_pipe_nor_reads_a_folder(make_zoo, name, check, make):
    folder = make_zoo()
    (folder / name).unlink()
    make(folder / name)
    found = findings(wsbench.verify_zoo(folder), check)
    assert any(f"{folder / name}: is a " in finding for finding in found)
    if name != "manifest.json":
        with pytest.raises(wsbench.FormatError, match="expected a regular file"):
            wsbench.load_zoo(folder)


def test_verify_zoo__finds_a_pipe_where_the_manifest_names_a_file(make_zoo):
    folder = make_zoo()
    (folder / "README.md").unlink()
    os.mkfifo(folder / "README.md")
    found = findings(wsbench.verify_zoo(folder), "files")
    assert found == ("README.md: not a regular file; the manifest names it",)


def test_files__never_looks_outside_the_folder(make_zoo, tmp_path):
    folder = make_zoo()
    (tmp_path / "secret").write_text("x")
    for name in ("../secret", str(tmp_path / "secret"), "\x1b[2J/x"):
        rewrite_manifest(folder, files={name: {"bytes": 1, "sha256": 64 * "0"}})
        found = findings(wsbench.verify_zoo(folder), "files")
        (finding,) = [f for f in found if f.endswith(" is not a file name")]
        assert finding.isprintable()
        assert finding.startswith(f"manifest.json: {name!a}"[:60])


def test_format__fails_for_a_damaged_file_and_no_claim_is_checked(make_zoo):
    folder = make_zoo()
    data = bytearray((folder / "zoo.h5").read_bytes())
    (folder / "zoo.h5").write_bytes(data[: len(data) // 2])
    verification = wsbench.verify_zoo(folder)
    assert failed(verification) == {"files", "format"}
    assert verification.is_damaged
    assert {check.about for check in verification.checks} == {"files"}


def test_format__lists_every_fault(make_zoo):
    folder = make_zoo()
    with h5py.File(folder / "zoo.h5", "a") as file:
        del file["split"], file.attrs["license"]
    assert len(findings(wsbench.verify_zoo(folder), "format")) == 2


def test_values__fails_alone_and_the_claims_are_skipped(make_zoo, made_up_zoo):
    accuracy = made_up_zoo.test_accuracy.copy()
    accuracy[3] = 1.5
    verification = wsbench.verify_zoo(make_zoo("broken", test_accuracy=accuracy))
    assert failed(verification) == {"values"}
    assert findings(verification, "values") == ("test_accuracy: 1.5 is above 1",)
    assert findings(verification, "splits") == ("the arrays are not those of a whole zoo",)


def test_digest__fails_for_a_value_changed_in_the_file(make_zoo):
    folder = make_zoo()
    with h5py.File(folder / "zoo.h5", "a") as file:
        file["weights"][0, 0] += 1
    verification = wsbench.verify_zoo(folder)
    assert failed(verification) == {"files", "digest"}
    assert outcomes(verification)["splits"] == "skipped"


def test_digest__fails_for_the_manifest_of_another_zoo(make_zoo):
    folder = make_zoo()
    rewrite_manifest(folder, id="other-v1", content_digest="sha256:0")
    verification = wsbench.verify_zoo(folder)
    assert failed(verification) == {"digest"}
    assert findings(verification, "digest")[0] == "id 'made-up-v1', the manifest says 'other-v1'"


def test_published__fails_for_other_content_under_a_published_id(make_zoo):
    split = np.repeat(wsbench.split_of_models("digits-mlp-v1", 10), 5)
    folder = make_zoo(id="digits-mlp-v1", recipe="models = 10", split=split)
    verification = wsbench.verify_zoo(folder)
    assert failed(verification) == {"published"}
    assert not verification.is_damaged


def test_splits__fails_for_a_model_that_was_moved(make_zoo, made_up_zoo):
    split = np.where(made_up_zoo.model == 3, (made_up_zoo.split + 1) % 3, made_up_zoo.split)
    verification = wsbench.verify_zoo(make_zoo("moved", split=split.astype(np.uint8)))
    assert failed(verification) == {"splits"}
    assert findings(verification, "splits")[0].startswith("model 3 is in ")


def test_duplicates__fails_for_a_checkpoint_that_two_models_share(make_zoo, made_up_zoo):
    weights = made_up_zoo.weights.copy()
    weights[7] = weights[44]
    verification = wsbench.verify_zoo(make_zoo("shared", weights=weights))
    assert failed(verification) == {"duplicates"}
    assert findings(verification, "duplicates") == (
        "model 8 at epoch 4 has the weights of model 1 at epoch 2",
    )


def test_duplicates__passes_a_model_that_does_not_move(make_zoo, made_up_zoo):
    weights = made_up_zoo.weights.copy()
    weights[1] = weights[0]
    assert not wsbench.verify_zoo(make_zoo("still", weights=weights)).failed


def test_command__prints_a_line_for_each_check_and_exits_0(run, make_zoo):
    folder = make_zoo()
    status, out, err = run("verify", folder)
    lines = out.splitlines()
    assert (status, err, lines[0], lines[-1]) == (0, "", str(folder), "all right, 3 skipped")
    assert len(lines) == 2 + len(wsbench.verify_zoo(folder).checks)
    assert "  passed   duplicates no two models share a checkpoint" in lines
    assert "  skipped  published  no installed package publishes made-up-v1" in lines


def test_command__exits_1_for_a_false_claim(run, make_zoo, made_up_zoo):
    weights = np.repeat(made_up_zoo.weights[:5], 10, axis=0)  # each two models are one
    status, out, _ = run("verify", make_zoo("same", weights=weights))
    assert status == 1
    assert out.count(" has the weights of model ") == 6
    assert "\n                      and 19 more; --json lists all\n" in out
    assert out.endswith("\n1 failed, 3 skipped\n")


def test_command__exits_2_for_a_damaged_zoo(run, make_zoo):
    folder = make_zoo()
    data = bytearray((folder / "zoo.h5").read_bytes())
    data[len(data) // 3] ^= 16
    (folder / "zoo.h5").write_bytes(data)
    status, out, err = run("verify", folder)
    assert (status, err) == (2, "")
    assert "  failed   files      zoo.h5: got " in out


def test_command__exits_2_in_one_line_for_too_many_models(run, make_zoo):
    status, out, err = run("verify", make_zoo(), "--retrain", 11)
    assert (status, out) == (2, "")
    assert err == "wsbench: retrain: got 11, and made-up-v1 has 10 models\n"


def test_command__says_the_same_in_json(run, make_zoo, made_up_zoo):
    split = np.zeros_like(made_up_zoo.split)
    folder = make_zoo("moved", split=split)
    status, out, _ = run("verify", folder, "--json")
    content = json.loads(out)
    assert status == 1
    assert content["folder"] == str(folder)
    checks = {check["name"]: check for check in content["checks"]}
    assert checks["splits"]["outcome"] == "failed"
    assert len(checks["splits"]["findings"]) == 4
    assert set(checks["splits"]) == {"name", "claim", "about", "outcome", "findings"}
