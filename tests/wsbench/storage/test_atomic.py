import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import wsbench
from wsbench.storage.atomic import _exchange, atomic_folder, atomic_write


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_file(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text)


def write_folder(path: Path, text: str) -> None:
    with atomic_folder(path) as temporary:
        (temporary / "a").write_text(text)


def test_written_whole__puts_the_file_in_its_place_and_makes_folders(tmp_path):
    path = tmp_path / "deep" / "er" / "file"
    with atomic_write(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert names(path.parent) == ["file"]


def test_written_whole__replaces(tmp_path):
    (tmp_path / "file").write_text("old")
    with atomic_write(tmp_path / "file") as temporary:
        temporary.write_text("new")
        assert (tmp_path / "file").read_text() == "old"
    assert (tmp_path / "file").read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_written_whole__leaves_the_old_and_nothing_else_if_the_block_fails(tmp_path, error):
    (tmp_path / "file").write_text("old")

    def fail():
        with atomic_write(tmp_path / "file") as temporary:
            temporary.write_text("half")
            raise error("stopped")

    with pytest.raises(error):
        fail()
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_written_whole__says_what_the_system_says(tmp_path):
    with (
        pytest.raises(wsbench.StorageError, match=r"file: cannot write: No space left on device;"),
        atomic_write(tmp_path / "file"),
        Path("/dev/full").open("wb", buffering=0) as full,
    ):
        full.write(b"x")
    assert names(tmp_path) == []


def test_written_whole__explains_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(wsbench.StorageError, match="below: cannot write: File exists"):
        write_file(tmp_path / "file" / "below", "x")


def test_written_whole__explains_a_read_only_folder(without_privileges):
    folder = Path(tempfile.mkdtemp())  # pytest's own folders let nobody else in
    folder.chmod(0o555)
    try:
        for write in (write_file, write_folder):
            with (
                without_privileges(),
                pytest.raises(wsbench.StorageError, match="cannot write: Permission denied"),
            ):
                write(folder / "below", "x")
        assert names(folder) == []
    finally:
        folder.rmdir()


def test_folder_written_whole__replaces_a_folder_as_a_whole(tmp_path):
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo" / "b").write_text("old")
    write_folder(tmp_path / "zoo", "new")
    assert names(tmp_path / "zoo") == ["a"]
    assert names(tmp_path) == ["zoo"]


@pytest.mark.parametrize("there", [True, False])
def test_folder_written_whole__leaves_the_old_and_nothing_else_if_the_block_fails(tmp_path, there):
    if there:
        write_folder(tmp_path / "zoo", "old")

    def fail():
        with atomic_folder(tmp_path / "zoo") as temporary:
            (temporary / "a").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert names(tmp_path) == (["zoo"] if there else [])
    if there:
        assert (tmp_path / "zoo" / "a").read_text() == "old"


def test_folder_written_whole__puts_the_old_back_if_the_new_cannot_take_its_place(tmp_path):
    write_folder(tmp_path / "zoo", "old")
    with pytest.raises(FileNotFoundError):
        _exchange(tmp_path / "lost", tmp_path / "zoo")
    assert (tmp_path / "zoo" / "a").read_text() == "old"
    assert names(tmp_path) == ["zoo"]


_FILL = """
import resource, sys
from pathlib import Path
import wsbench
from wsbench.storage.atomic import atomic_write
folder = Path(sys.argv[1])
if len(sys.argv) > 2:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    with atomic_write(folder / "file") as temporary:
        temporary.write_bytes(bytes(200_000))
except wsbench.StorageError as error:
    print(error)
print(sorted(path.name for path in folder.iterdir()), (folder / "file").read_text())
"""


def test_written_whole__leaves_the_old_on_a_disk_that_is_full(tmp_path):
    """A file system of 64 kB, where the system lets us mount one."""
    script = (
        'mount -t tmpfs -o size=64k none "$1" && printf old >"$1/file" && exec "$2" -c "$3" "$1"'
    )
    shell = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    try:
        result = subprocess.run(
            [*shell, tmp_path, sys.executable, _FILL], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system can be mounted here: {error}")
    message, left = result.stdout.splitlines()
    assert "file: cannot write: No space left on device; free some space" in message
    assert left == "['file'] old"


def test_written_whole__leaves_the_old_where_a_file_may_not_grow(tmp_path):
    (tmp_path / "file").write_text("old")
    result = subprocess.run(
        [sys.executable, "-c", _FILL, tmp_path, "1000"], capture_output=True, text=True, check=True
    )
    message, left = result.stdout.splitlines()
    assert "file: cannot write: File too large" in message
    assert left == "['file'] old"
