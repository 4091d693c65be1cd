import json

import pytest

import wsbench
from wsbench_leaderboard.site.build import build


def files(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_build__writes_the_same_bytes_for_the_same_records(folder, tmp_path):
    pages = build(folder, tmp_path / "out")
    assert pages[0] == tmp_path / "out" / "index.html"
    first = files(tmp_path / "out")
    assert sorted(first) == sorted(pages)
    build(folder, tmp_path / "out")
    assert files(tmp_path / "out") == first
    build(folder, tmp_path / "second")
    assert list(files(tmp_path / "second").values()) == list(first.values())


def test_build__removes_pages_of_what_is_gone_and_leaves_other_files_alone(folder, tmp_path):
    out = tmp_path / "out"
    build(folder, out)
    (out / "CNAME").write_text("board.example\n")
    (out / "methods" / "mine.html").write_text("<p>not of this site\n")
    for path in folder.glob("*/svd-*"):
        path.unlink()
    build(folder, out)
    assert not list(out.glob("methods/svd-*"))
    assert list(out.glob("methods/euclidean-*"))
    assert (out / "CNAME").exists()
    assert (out / "methods" / "mine.html").exists()


def test_build__replaces_no_page_that_it_did_not_write(folder, tmp_path):
    (tmp_path / "index.html").write_text("<p>my home page\n")
    with pytest.raises(wsbench.StorageError, match=r"index\.html: not a page of wsbench"):
        build(folder, tmp_path)
    assert (tmp_path / "index.html").read_text() == "<p>my home page\n"
    assert not (tmp_path / "rules.html").exists()


def test_build__says_that_it_cannot_write(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(wsbench.StorageError, match="file"):
        build(folder, tmp_path / "file")


def test_build__refuses_a_record_that_lies(folder, rewrite, tmp_path):
    def boast(content):
        content["scores"]["identification/none"]["map_at_r"]["value"] = 0.999

    rewrite(next(folder.glob("*/random-*.json")), boast)
    with pytest.raises(wsbench.IntegrityError, match="the scores do not follow from the answers"):
        build(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_command__build_names_the_first_page(folder, tmp_path, run):
    out = tmp_path / "out"
    assert run("leaderboard", "build", folder, "--out", out) == (
        0, f"{out}/index.html: 7 pages, this is the index\n", ""
    )  # fmt: skip
    status, printed, _ = run("leaderboard", "build", folder, "--out", out, "--json")
    assert status == 0
    assert len(json.loads(printed)["pages"]) == 7
    status, _, error = run("leaderboard", "build", tmp_path / "gone", "--out", out)
    assert status == 2
    assert "gone: no such folder of records" in error


def test_command__facts_writes_what_build_reads(folder, make_zoo, tmp_path, run):
    build(folder, tmp_path / "without")
    facts = tmp_path / "zoos" / "other-v1.json"
    zoo = make_zoo(id="other-v1", recipe="")
    command = ("leaderboard", "facts", zoo, "--out", tmp_path / "zoos")
    assert run(*command) == (0, f"{facts}\n", "")
    assert json.loads(run(*command, "--json")[1]) == {"facts": str(facts)}
    page = next(path for path in build(folder, tmp_path / "with") if "zoos/other" in str(path))
    assert "Step length by epoch" in page.read_text()
    assert "Step length" not in (tmp_path / "without" / "zoos" / page.name).read_text()
