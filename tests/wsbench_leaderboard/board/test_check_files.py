"""Files that would do harm, refused before they are read, and the size of those that do none."""

import dataclasses
import io
import re
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

import wsbench
from support.refusal import refusal
from support.zoos import write_made_up_zoo
from wsbench.evaluation.suite import SUITES
from wsbench_leaderboard.board.check import MAX_ANSWERS_BYTES


def of(part, **values):
    return lambda content: content[part].update(values)


def zipped(compression=zipfile.ZIP_DEFLATED, size=100_000_000, lie=False) -> bytes:
    """Return an archive of zeros; with `lie`, it says that it holds only a thousand bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("labels/standard/model.npy", bytes(size))
    data = buffer.getvalue()
    return data.replace(struct.pack("<I", size), struct.pack("<I", 1000)) if lie else data


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({}, "unpacks to 100,000,000 bytes, at most 8,000,000 are allowed"),
        ({"lie": True}, "not a whole .npz file: Bad CRC-32"),
        ({"compression": zipfile.ZIP_BZIP2, "size": 20_000_000, "lie": True}, "is not deflated"),
        ({"compression": zipfile.ZIP_LZMA, "size": 20_000_000, "lie": True}, "is not deflated"),
    ],
)
def test_check_record__refuses_a_zip_bomb_without_unpacking_it(victim, with_answers, how, message):
    path = with_answers(victim, zipped(**how))
    tracemalloc.start()
    assert message in refusal(path)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_check_record__refuses_an_archive_that_names_one_member_a_thousand_times(
    victim, with_answers
):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(100_000))
        archive.filelist *= 1000
    assert "unpacks to 100,000,000 bytes" in refusal(with_answers(victim, buffer.getvalue()))


def test_check_record__refuses_an_array_that_claims_more_than_there_is(victim, with_answers):
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    )
    archived = io.BytesIO()
    with zipfile.ZipFile(archived, "w") as archive:
        archive.writestr("a.npy", buffer.getvalue())
    assert "does not have the size of its" in refusal(with_answers(victim, archived.getvalue()))


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_check_record__refuses_50_mb_before_reading_them(victim, suffix, monkeypatch):
    (path,) = victim.parent.glob(f"random-*{suffix}")
    with path.open("ab") as file:
        file.truncate(50_000_000)

    def refuse_to_read(file, *more, **others):
        assert file.stat().st_size < 1_000_000, "it is read"
        return read(file, *more, **others)

    name = "read_text" if suffix == ".json" else "read_bytes"
    read = getattr(Path, name)
    monkeypatch.setattr(Path, name, refuse_to_read)
    assert re.search(r"50,000,000 bytes,( and)? at most 1,000,000 are allowed", refusal(victim))


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_check_record__follows_no_link(victim, suffix, tmp_path):
    (path,) = victim.parent.glob(f"random-*{suffix}")
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert f"{path}: a symbolic link; replace it with the file itself" in refusal(victim)


@pytest.mark.parametrize(
    "name", ["../../secret.npz", "/etc/passwd", "..", "a/b.npz", "random-\n.npz", ""]
)
def test_check_record__reads_no_answers_outside_the_folder(victim, rewrite, name):
    path = rewrite(victim, of("answers", file=name))
    message = refusal(path)
    assert ("answers.file: got " in message) or ("expected one line" in message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "not a record"),
        ('{"format": 2, "a": ' + "[" * 400 + "]" * 400 + "}", "nested more than 64 deep"),
        ('{"format": 2, "format": 2}', "the key 'format' stands twice in an object"),
        ('{"format": NaN}', "NaN is not strict JSON"),
        ("", "not a record"),
        ('{"format": 1}', "missing or unknown: 'accuracy', "),
        ('{"format": 2}', "object missing required field `method`"),
        ('{"format": 3}', "format 3, and this version of wsbench reads 1 and 2"),
        ('{"format": true}', "it has no format number"),
    ],
)
def test_check_record__refuses_what_is_no_record(victim, text, message):
    victim.write_text(text)
    assert message in refusal(victim)


def test_check_record__refuses_nan_among_the_scores(victim):
    text = victim.read_text()
    victim.write_text(text.replace('"value": ', '"value": NaN, "was": ', 1))
    assert "NaN is not strict JSON" in refusal(victim)


def test_check_record__says_that_there_is_none(victim):
    victim.unlink()
    assert refusal(victim).endswith("no such file")


@pytest.mark.slow
def test_max_answers_bytes__leave_room_for_the_largest_published_zoo(tmp_path):
    """50 test models of 50 epochs, all perturbations; random answers compress worst."""
    matrices = [("a", (2, 3), ("hidden-1", "input")), ("b", (3, 2), ("output", "hidden-1"))]
    layout = wsbench.Layout.of(matrices, "relu")
    folder = write_made_up_zoo(tmp_path / "zoo", models=250, epochs=50, layout=layout)
    suite = dataclasses.replace(SUITES["standard"], measures_cost=False)
    record = wsbench.save_record(wsbench.evaluate("random", wsbench.load_zoo(folder), suite=suite))
    assert len(record.scores) == 76
    assert record.content.answers.bytes < MAX_ANSWERS_BYTES / 2
    assert record.path.stat().st_size < 100_000
