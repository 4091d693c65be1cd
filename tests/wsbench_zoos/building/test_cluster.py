"""Building on a Dask cluster: a real one, of processes on this machine; some are killed."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import wsbench
from wsbench_zoos.building.build import build
from wsbench_zoos.recipe import parse_recipe
from wsbench_zoos.training import training

distributed = pytest.importorskip("distributed")


class Cluster:
    """A scheduler and its workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen] = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = str(free.getsockname()[1])
        self.address = f"tcp://127.0.0.1:{self._port}"
        self.start_scheduler()

    def start_scheduler(self) -> None:
        self.scheduler = self._start("scheduler", "", "--host", "127.0.0.1", "--port", self._port)

    def start_workers(self, n: int = 1) -> None:
        """Start workers of two threads, which Dask starts again when they die."""
        self._start("worker", "", self.address, "--nworkers", str(n), "--nthreads", "2")

    def start_worker_after(self, code: str) -> None:
        self._start("worker", code, self.address, "--no-nanny", "--nthreads", "1")

    def _start(self, what: str, code: str, *arguments: str) -> subprocess.Popen:
        program = f"{code}\nfrom distributed.cli.dask_{what} import main; main()"
        without_data = {k: v for k, v in os.environ.items() if k != "WSBENCH_DATA"}
        process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments, "--no-dashboard"],
            cwd=self._folder,
            env=without_data
            | {
                "WSBENCH_OFFLINE": "1",
                "DASK_TEMPORARY_DIRECTORY": str(self._folder),
                "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def run(self, function, n_workers: int) -> list:
        """What a function gives in each worker process, once there are so many."""
        with distributed.Client(self.address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(n_workers, timeout=60)
            return list(client.run(function).values())

    def stop_last(self) -> None:
        process = self._processes.pop()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        while self._processes:
            self.stop_last()


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def longer_recipe(small_recipe: str) -> str:
    """Thirty models that take some seconds in all."""
    return small_recipe.replace("models = 5", "models = 30").replace("epochs = 3", "epochs = 100")


@pytest.fixture(scope="module")
def longer_digest(longer_recipe: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    return build(parse_recipe(longer_recipe), tmp_path_factory.mktemp("longer") / "zoo")


def n_preparations() -> int:
    return training._prepare.cache_info().misses


@pytest.mark.slow
def test_cluster__gives_the_same_digest_and_prepares_once_per_process(
    cluster, tmp_path, longer_recipe, longer_digest
):
    """Also when one of two worker processes is killed with models in work."""
    cluster.start_workers(2)
    pids = cluster.run(os.getpid, n_workers=2)

    def kill(state: wsbench.BuildState) -> None:
        if state.n_done == 3:
            os.kill(pids[0], signal.SIGKILL)

    recipe = parse_recipe(longer_recipe)
    digest = build(recipe, tmp_path / "zoo", cluster=cluster.address, progress=kill)
    assert digest == longer_digest
    assert set(cluster.run(n_preparations, n_workers=2)) <= {0, 1}
    assert pids[0] not in cluster.run(os.getpid, n_workers=2)


@pytest.mark.slow
def test_cluster__says_that_the_scheduler_is_lost_and_goes_on_with_another(
    cluster, tmp_path, capfd, longer_recipe, longer_digest
):
    cluster.start_workers()
    cluster.run(os.getpid, n_workers=1)
    recipe = parse_recipe(longer_recipe)

    def kill(state: wsbench.BuildState) -> None:
        if state.n_done == 3:
            cluster.scheduler.kill()

    with pytest.raises(wsbench.WorkerError, match="the scheduler stopped, restarted or"):
        build(recipe, tmp_path / "zoo", cluster=cluster.address, progress=kill)
    assert not (tmp_path / "zoo").exists()
    cluster.start_scheduler()
    cluster.start_workers()
    cluster.run(os.getpid, n_workers=1)
    reports: list[wsbench.BuildState] = []
    digest = build(recipe, tmp_path / "zoo", cluster=cluster.address, progress=reports.append)
    assert digest == longer_digest
    assert reports[0].n_resumed >= 3
    assert capfd.readouterr() == ("", "")  # Dask would log tracebacks


@pytest.mark.slow
def test_cluster__refuses_workers_of_another_release_and_waits_for_others(
    cluster, tmp_path, caplog, small_recipe, small_zoo, monkeypatch
):
    monkeypatch.setattr("wsbench_zoos.building.build._SILENCE_S", 0.2)
    recipe = parse_recipe(small_recipe)
    for code, found in (
        ("import wsbench; wsbench.__version__ = '0.0.9'", r"wsbench 0\.0\.9, numba"),
        ("import sys; sys.modules['wsbench_zoos'] = None", "No module named 'wsbench_zoos"),
    ):
        cluster.start_worker_after(code)
        cluster.run(os.getpid, n_workers=1)
        with pytest.raises(wsbench.WorkerError, match=f"the worker tcp://.* has .*{found}"):
            build(recipe, tmp_path / "zoo", cluster=cluster.address)
        cluster.stop_last()
    # Then there is no worker until the build has said so.
    starts = threading.Event()

    class StartsWorker(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not starts.is_set():
                starts.set()
                cluster.start_workers()

    logging.getLogger("wsbench").addHandler(handler := StartsWorker())
    digest = build(recipe, tmp_path / "zoo", cluster=cluster.address)
    logging.getLogger("wsbench").removeHandler(handler)
    assert digest == small_zoo.content_digest
    assert "the cluster has no workers; waiting for one" in caplog.text


KILLS_ITS_WORKER = """
import os
import wsbench_zoos.building.cluster as building
building.train_model = lambda *arguments: os._exit(1)
"""


@pytest.mark.slow
@pytest.mark.parametrize("n_workers", [3, 1])
def test_cluster__gives_up_on_a_model_that_kills_every_worker(
    cluster, tmp_path, small_recipe, monkeypatch, n_workers
):
    """Dask gives up after two deaths, as this cluster is set, unless all workers died before."""
    monkeypatch.setattr("wsbench_zoos.building.build._SILENCE_S", 0.2)
    monkeypatch.setattr("wsbench_zoos.building.cluster._PATIENCE_S", 2.0)
    for _ in range(n_workers):
        cluster.start_worker_after(KILLS_ITS_WORKER)
    cluster.run(os.getpid, n_workers=n_workers)
    none_left = f"{n_workers} workers? died and no model was finished, and none is left"
    died = f"2 workers died of the same model|{none_left}"
    with pytest.raises(wsbench.WorkerError, match=died) as caught:
        build(parse_recipe(small_recipe), tmp_path / "zoo", cluster=cluster.address)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "zoo").exists()


@pytest.mark.slow
def test_cluster__gives_up_after_as_many_deaths_as_it_says_where_dask_does_not(
    cluster, tmp_path, small_recipe, monkeypatch
):
    """Dask is set to go on for ever, as some set it on machines that are taken away."""
    monkeypatch.setattr("wsbench_zoos.building.build._SILENCE_S", 0.2)
    monkeypatch.setattr("wsbench_zoos.building.cluster._MOST_DEATHS", 3)
    for _ in range(4):
        cluster.start_worker_after(KILLS_ITS_WORKER)
    cluster.run(os.getpid, n_workers=4)
    with distributed.Client(cluster.address, timeout=60, set_as_default=False) as client:
        client.run_on_scheduler(allow_all_failures)
    with pytest.raises(wsbench.WorkerError, match=r"[34] workers died and no model was finished"):
        build(parse_recipe(small_recipe), tmp_path / "zoo", cluster=cluster.address)


def allow_all_failures(dask_scheduler) -> None:
    dask_scheduler.allowed_failures = 10**9


@pytest.mark.slow
@pytest.mark.needs_mnist
@pytest.mark.skipif("WSBENCH_DATA" not in os.environ, reason="set WSBENCH_DATA, see CONTRIBUTING")
def test_cluster__sends_the_data_to_workers_that_have_none(cluster, tmp_path, small_recipe):
    cluster.start_workers(2)
    text = small_recipe.replace('"digits"', '"mnist"').replace("models = 5", "models = 2")
    recipe = parse_recipe(text)
    digest = build(recipe, tmp_path / "cluster", cluster=cluster.address)
    assert digest == build(recipe, tmp_path / "threads")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("localhost", "got 'localhost', expected the address"),
        ("http://localhost:8786", "expected the address"),
        ("tcp://127.0.0.1:1", "no Dask scheduler there .*Connection refused"),
        ("tcp://no-such-host.invalid:8786", "no Dask scheduler there .*not known"),
        ("tls://127.0.0.1:{port}", "no Dask scheduler there .*TLS"),
        ("tcp://127.0.0.1:{port}", "no Dask scheduler there .*no answer within 1 s"),
    ],
)
def test_cluster__names_an_address_without_a_scheduler(
    tmp_path, small_recipe, monkeypatch, address, reason
):
    monkeypatch.setattr("wsbench.evaluation.cluster._TIMEOUT_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = address.format(port=silent.getsockname()[1])
        with pytest.raises(wsbench.WorkerError, match=reason) as caught:
            build(parse_recipe(small_recipe), tmp_path / "zoo", cluster=address)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_cluster__names_what_to_install_without_dask(tmp_path, small_recipe):
    recipe = tmp_path / "small.toml"
    recipe.write_text(small_recipe)
    program = "import sys; sys.modules['distributed'] = None; from wsbench.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", program, "build", str(recipe), "--cluster", "tcp://localhost:8786"],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 2
    assert "pip install 'wsbench[cluster]'" in result.stderr.splitlines()[-1]


def test_build_zoo__takes_workers_or_a_cluster(tmp_path, small_recipe):
    recipe = tmp_path / "small.toml"
    recipe.write_text(small_recipe)
    with pytest.raises(ValueError, match="one of executor, workers and cluster"):
        wsbench.build_zoo(recipe, workers=2, cluster="tcp://localhost:8786")
