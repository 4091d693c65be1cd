"""What can happen to a build, each made to happen: it ends in the same digest or in one line."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

import wsbench
from wsbench.storage import hdf5
from wsbench_zoos.building import build as build_module
from wsbench_zoos.building.build import build
from wsbench_zoos.recipe import parse_recipe

SOON_S = 10.0  # an epoch takes milliseconds, but the machine may be loaded

# Not ru_maxrss: a process that is started by a large one begins with that one's peak.
_PEAK = """
import sys
from pathlib import Path
from wsbench_zoos.building.build import build
from wsbench_zoos.recipe import parse_recipe
build(parse_recipe(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(status["VmHWM"].split()[0])
"""


@pytest.fixture(scope="module")
def longer_recipe(small_recipe: str) -> str:
    """Thirty models that take some seconds in all."""
    text = small_recipe.replace("models = 5", "models = 30").replace("epochs = 3", "epochs = 50")
    return text.replace("small-mlp", "longer-mlp")


@pytest.fixture(scope="module")
def longer_digest(longer_recipe: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the longer recipe when nothing happens."""
    return build(parse_recipe(longer_recipe), tmp_path_factory.mktemp("longer") / "zoo")


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 64 MB."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        pytest.skip(f"cannot mount a file system here: {result.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def start(*arguments: object, **options: object) -> subprocess.Popen:
    """Start the command line in a process of its own."""
    command = [sys.executable, "-c", "from wsbench.cli import main; main()", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **pipes | options)


def wait_for_models(folder: Path, n: int, process: subprocess.Popen) -> None:
    while len(list(folder.glob(".*.partial/model-*.npz"))) < n:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def storage_error_of_build(recipe: Path, folder: Path) -> str | None:
    try:
        wsbench.build_zoo(recipe, out=folder)
    except wsbench.StorageError as error:
        return str(error)
    return None


@pytest.mark.parametrize("other", ["zoo.b", "zoo.0123456789ab", "zoo.x.0123456789ab", "zoo*"])
def test_build__keeps_the_running_build_of_a_folder_whose_name_begins_alike(
    tmp_path, small_recipe, other
):
    """And removes what builds of its own folder have left."""
    recipe = parse_recipe(small_recipe.replace("models = 5", "models = 1"))
    kept = [
        tmp_path / f".{other}.0123456789ab.partial" / "model-000000.npz",
        tmp_path / f".{other}.0123456789ab.tmp" / "zoo.h5",
    ]
    left = [
        tmp_path / ".zoo.0123456789ab.partial" / "model-000000.npz",
        tmp_path / ".zoo.0123456789ab.tmp" / "zoo.h5",
    ]
    for file in kept + left:
        file.parent.mkdir()
        file.touch()
    build(recipe, tmp_path / "zoo")
    assert all(file.exists() for file in kept)
    assert not any(file.parent.exists() for file in left)


@pytest.mark.slow
def test_build__names_a_full_disk_and_goes_on_when_there_is_space(
    mounted, tmp_path, small_recipe, small_zoo
):
    """Whichever file it was: a model's, the zoo's, the last one of its folder."""
    recipe = tmp_path / "small.toml"
    recipe.write_text(small_recipe)
    errors = []
    for kilobytes in range(8, 512, 24):
        remount(mounted, f"size={kilobytes}k")
        folder = mounted / f"zoo-{kilobytes}"
        if error := storage_error_of_build(recipe, folder):
            errors.append(error)
            assert not folder.exists()
            with pytest.raises(wsbench.FormatError, match="no such file"):
                wsbench.load_zoo(folder)
        remount(mounted, "size=64m")
        built = wsbench.load_zoo(wsbench.build_zoo(recipe, out=folder))
        assert built.content_digest == small_zoo.content_digest
        subprocess.run(f"rm -r {mounted}/* {mounted}/.zoo*", shell=True, check=True)
    assert 10 <= len(errors) < 21
    assert all("No space left on device" in error and "\n" not in error for error in errors)


def test_build__keeps_what_it_had_when_the_disk_is_full(mounted, small_recipe, small_zoo):
    folder = mounted / "zoo"
    remount(mounted, "size=256k")  # for the models, but not for the zoo beside them
    recipe = parse_recipe(small_recipe)
    with pytest.raises(wsbench.StorageError):
        build(recipe, folder)
    remount(mounted, "size=64m")
    reports: list[wsbench.BuildState] = []
    assert build(recipe, folder, progress=reports.append) == small_zoo.content_digest
    assert reports[0].n_resumed == 5


def test_build__names_a_folder_that_cannot_be_written(mounted, tmp_path, small_recipe):
    recipe = tmp_path / "small.toml"
    recipe.write_text(small_recipe)
    remount(mounted, "ro")
    with start("build", recipe, "--out", mounted / "zoos" / "zoo") as process:
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert not output
    assert re.fullmatch(r"wsbench: \S+: cannot write: Read-only file system; .*\n", errors)


def test_build__finds_a_zoo_in_a_folder_that_cannot_be_written(mounted, tmp_path, small_recipe):
    recipe = tmp_path / "small.toml"
    recipe.write_text(small_recipe)
    folder = wsbench.build_zoo(recipe, out=mounted / "zoo")
    remount(mounted, "ro")
    assert wsbench.build_zoo(recipe, out=folder) == folder
    with pytest.raises(wsbench.StorageError, match="Read-only file system"):
        wsbench.build_zoo(recipe, out=folder, rebuild=True)
    assert wsbench.load_zoo(folder).n_models == 5


@pytest.mark.slow
@pytest.mark.parametrize("first_is_killed", [False, True])
def test_build__waits_for_another_build_of_the_same_zoo(
    tmp_path, longer_recipe, longer_digest, first_is_killed
):
    """The second finds the zoo done, or goes on where the first was killed."""
    recipe = tmp_path / "longer.toml"
    recipe.write_text(longer_recipe)
    folder = tmp_path / "zoo"
    first = start("build", recipe, "--out", folder)
    while not (tmp_path / ".zoo.holder").exists():
        assert first.poll() is None, first.communicate()
        time.sleep(0.005)
    first.send_signal(signal.SIGSTOP)  # until the second waits
    with start("build", recipe, "--out", folder) as second:
        waits = second.stderr.readline()
        assert f"process {first.pid} on " in waits
        assert "waiting" in waits
        first.send_signal(signal.SIGCONT)
        if first_is_killed:
            wait_for_models(tmp_path, 2, first)
            first.kill()
        first.communicate(timeout=60)
        output, errors = second.communicate(timeout=60)
    assert second.returncode == 0
    assert longer_digest in output
    assert ("done before" if first_is_killed else "built already") in errors
    assert [path.name for path in tmp_path.glob(".zoo*")] == [".zoo.lock"]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT interrupt this process and those it starts, even if its parent ignores SIGINT.

    A shell's background jobs and ``nohup`` inherit the signal ignored, and so would the tests.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
def test_build__stops_at_once_when_interrupted(tmp_path, longer_recipe, longer_digest):
    recipe = tmp_path / "longer.toml"
    recipe.write_text(longer_recipe)
    folder = tmp_path / "zoo"
    with start("build", recipe, "--out", folder) as process:
        wait_for_models(tmp_path, 2, process)
        interrupted_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert time.monotonic() - interrupted_s < SOON_S
    assert process.returncode == 130
    assert not output
    assert errors.endswith(
        "\nwsbench: interrupted; finished work is kept, and the same command resumes\n"
    )
    assert "Traceback" not in errors
    assert not folder.exists()
    reports: list[wsbench.BuildState] = []
    assert build(parse_recipe(longer_recipe), folder, progress=reports.append) == longer_digest
    assert 2 <= reports[0].n_resumed < 30


@pytest.mark.usefixtures("interruptible")
def test_write_zoo__hears_an_interrupt_while_hdf5_writes(
    tmp_path, small_zoo, small_recipe, monkeypatch
):
    """In a call from HDF5 in the main thread h5py would lose it, and the file's content with it."""
    write = hdf5._Outlet.write
    calls: list[int] = []

    def interrupt(self, data):
        calls.append(len(data))
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return write(self, data)

    monkeypatch.setattr(hdf5._Outlet, "write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build(parse_recipe(small_recipe), tmp_path / "zoo")
    assert not (tmp_path / "zoo").exists()
    monkeypatch.undo()
    assert build(parse_recipe(small_recipe), tmp_path / "zoo") == small_zoo.content_digest


@pytest.mark.slow
def test_build__names_a_killed_worker_process_and_goes_on(tmp_path, longer_recipe, longer_digest):
    recipe = parse_recipe(longer_recipe)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:

        def kill(state: wsbench.BuildState) -> None:
            if state.n_done == 3:
                os.kill(next(iter(executor._processes)), signal.SIGKILL)

        with pytest.raises(wsbench.WorkerError, match="a worker process died"):
            build(recipe, tmp_path / "zoo", executor=executor, progress=kill)
    assert not (tmp_path / "zoo").exists()
    reports: list[wsbench.BuildState] = []
    assert build(recipe, tmp_path / "zoo", progress=reports.append) == longer_digest
    assert reports[0].n_resumed >= 3


@pytest.mark.parametrize(("epochs", "n_models"), [(3, 256), (1000, 24), (30_000, 1)])
def test_build__has_few_models_in_flight_when_they_are_big(small_recipe, epochs, n_models):
    recipe = parse_recipe(small_recipe.replace("epochs = 3", f"epochs = {epochs}"))
    assert build_module._max_in_flight(recipe) == n_models
    assert n_models * (epochs + 1) * 2163 * 4 < 300e6


@pytest.mark.slow
def test_build__takes_no_more_memory_for_more_models(tmp_path, small_recipe):
    """300 and 3,000 models of one epoch: measured were 373 and 381 MB."""
    peaks = {}
    for n in (300, 3000):
        recipe = tmp_path / f"{n}.toml"
        text = small_recipe.replace("models = 5", f"models = {n}")
        recipe.write_text(text.replace("epochs = 3", "epochs = 1"))
        command = [sys.executable, "-c", _PEAK, str(recipe), str(tmp_path / str(n))]
        result = subprocess.run(command, check=True, capture_output=True, text=True)
        peaks[n] = 1024 * int(result.stdout)
    assert peaks[3000] < 1e9
    assert peaks[3000] - peaks[300] < 40e6
