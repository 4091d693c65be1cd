"""Downloads from a server that misbehaves: the right bytes or one line, never a poisoned cache."""

import os
import shutil
import socket
import subprocess
import sys

import pytest

import wsbench
from support import server as servers
from wsbench.exchange import transfer
from wsbench.exchange.download import DownloadState, download_zoo

ID = "made-up-v1"


@pytest.fixture
def folder(publisher, made_up_zoo, make_zoo, tmp_path):
    """A mirror's folder with the published zoo."""
    publisher.publish(made_up_zoo.content_digest, embedded=False)
    make_zoo(f"mirror/{ID}")
    return tmp_path / "mirror"


@pytest.fixture
def server(folder, monkeypatch):
    monkeypatch.setattr(transfer, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(transfer.fetch, "__kwdefaults__", {
        **transfer.fetch.__kwdefaults__, "timeout_s": 0.5, "first_pause_s": 0.01,
    })  # fmt: skip
    with servers.serving(folder) as running:
        yield running


def cached():
    return wsbench.home() / "zoos" / ID


def leftovers():
    """Return the names in the cache other than locks."""
    found = (wsbench.home() / "zoos").glob("*")
    return sorted(p.name for p in found if not p.name.endswith((".lock", ".holder")))


def expect_the_zoo(made_up_zoo):
    loaded = wsbench.load_zoo(ID)
    assert loaded.content_digest == made_up_zoo.content_digest
    assert (loaded.weights == made_up_zoo.weights).all()
    assert leftovers() == [ID]


def test_download__fetches_every_file_and_reports_the_bytes(server, made_up_zoo):
    states: list[DownloadState] = []
    assert download_zoo(ID, server.url, progress=states.append) == cached()
    expect_the_zoo(made_up_zoo)
    assert states[-1].n_done == states[-1].n_bytes
    n_requests = len(server.requests)
    download_zoo(ID, server.url)
    assert len(server.requests) == n_requests  # it is there


@pytest.mark.parametrize("scheme", ["path", "file"])
def test_download__takes_a_folder_for_a_mirror(folder, made_up_zoo, scheme, monkeypatch):
    monkeypatch.setenv("WSBENCH_OFFLINE", "1")
    download_zoo(ID, str(folder) if scheme == "path" else folder.as_uri())
    expect_the_zoo(made_up_zoo)


@pytest.mark.parametrize("status", [503, 429, 500])
def test_download__asks_again_after_a_server_was_busy_twice(server, made_up_zoo, status):
    server.faults["zoo.h5"] = servers.fails_twice(status)
    download_zoo(ID, server.url)
    expect_the_zoo(made_up_zoo)


def test_download__goes_on_where_the_connection_ended(server, made_up_zoo):
    server.faults["zoo.h5"] = servers.truncates
    with pytest.raises(wsbench.TransferError, match=r"connection .* times in a row"):
        download_zoo(ID, server.url)
    ranges = [asked for path, asked in server.requests if path.endswith("zoo.h5")]
    assert ranges[0] is None
    half = (server.folder / ID / "zoo.h5").stat().st_size // 2
    assert ranges[1:] == [f"bytes={half}-"] * (len(ranges) - 1)
    assert not cached().exists()
    server.faults.clear()
    server.requests.clear()
    download_zoo(ID, server.url)
    (asked,) = (asked for path, asked in server.requests if path.endswith("zoo.h5"))
    assert asked == f"bytes={half}-"
    expect_the_zoo(made_up_zoo)


def test_download__begins_anew_where_a_server_knows_no_ranges(server, made_up_zoo):
    server.faults["zoo.h5"] = servers.truncates
    with pytest.raises(wsbench.TransferError):
        download_zoo(ID, server.url)
    server.faults["zoo.h5"] = servers.ignores_ranges
    download_zoo(ID, server.url)
    expect_the_zoo(made_up_zoo)


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (servers.flips, wsbench.IntegrityError, "got sha256 .*; nothing is kept, try another"),
        (servers.shows_a_page, wsbench.IntegrityError, "begins like a web page"),
        (servers.lies_about_length, wsbench.IntegrityError, "sends more than .* bytes"),
        (servers.redirects_for_ever, wsbench.TransferError, "redirects more than 5 times"),
        (servers.stalls, wsbench.TransferError, "5 times in a row"),
    ],
)
@pytest.mark.parametrize("name", ["zoo.h5", "probe.npz"])
def test_download__of_wrong_bytes_is_one_line_and_no_zoo(
    server, made_up_zoo, name, fault, error, message
):
    server.faults[name] = fault
    with pytest.raises(error, match=message) as caught:
        download_zoo(ID, server.url)
    assert "\n" not in str(caught.value)
    assert not cached().exists()
    server.faults.clear()
    download_zoo(ID, server.url)
    expect_the_zoo(made_up_zoo)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (servers.flips, wsbench.WsbenchError),
        (servers.shows_a_page, wsbench.FormatError),
        (servers.redirects_for_ever, wsbench.TransferError),
    ],
)
def test_download__of_a_wrong_manifest_is_one_line(server, made_up_zoo, fault, error):
    server.faults["manifest.json"] = fault
    with pytest.raises(error):
        download_zoo(ID, server.url)
    assert not cached().exists()
    server.faults.clear()
    download_zoo(ID, server.url)
    expect_the_zoo(made_up_zoo)


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "other.h5"])
def test_download__refuses_a_manifest_that_names_other_files(folder, name):
    path = folder / ID / "manifest.json"
    path.write_text(path.read_text().replace('"probe.npz"', f'"{name}"'))
    with pytest.raises(wsbench.FormatError, match="not the manifest of a zoo"):
        download_zoo(ID, str(folder))
    assert not cached().exists()


def test_download__refuses_another_zoo_under_the_published_name(server, folder, make_zoo):
    shutil.rmtree(folder / ID)
    make_zoo(f"mirror/{ID}", models=12)
    with pytest.raises(wsbench.IntegrityError, match="published is made-up-v1 with sha256"):
        download_zoo(ID, server.url)
    assert not cached().exists()


def test_download__tries_the_mirrors_in_turn(server, folder, publisher, made_up_zoo, monkeypatch):
    from dataclasses import replace

    published = publisher.published[ID]
    publisher.published[ID] = replace(published, mirrors=(f"{server.url}/gone", server.url))
    download_zoo(ID)
    expect_the_zoo(made_up_zoo)


def test_download__says_where_mirrors_are_named(folder):
    with pytest.raises(wsbench.TransferError, match=r"--mirror or WSBENCH_MIRROR.*wsbench build"):
        download_zoo(ID)
    with pytest.raises(wsbench.TransferError, match="expected a folder, or an address"):
        download_zoo(ID, "ftp://example.org")
    with pytest.raises(wsbench.TransferError, match="404"), servers.serving(folder) as running:
        download_zoo(ID, f"{running.url}/elsewhere")


def test_download__offline_opens_no_socket(server, monkeypatch):
    monkeypatch.setenv("WSBENCH_OFFLINE", "1")

    def refuse(*arguments, **options):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(wsbench.TransferError, match="WSBENCH_OFFLINE is set"):
        download_zoo(ID, server.url)
    assert server.requests == []


def test_download__of_a_server_that_is_gone_is_one_line(server, folder):
    with servers.serving(folder) as other:
        gone = other.url
    with pytest.raises(wsbench.TransferError, match="no connection"):
        download_zoo(ID, gone)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_download__reads_a_cache_that_is_read_only(server, made_up_zoo):
    download_zoo(ID, server.url)
    zoos = wsbench.home() / "zoos"
    zoos.chmod(0o555)
    try:
        assert download_zoo(ID, server.url) == cached()
    finally:
        zoos.chmod(0o755)


def test_download__of_two_processes_at_once_fetches_each_file_once(server, made_up_zoo, tmp_path):
    code = (
        "import sys; from wsbench.exchange.download import download_zoo;"
        f" download_zoo('made-up-v1', {server.url!r})"
    )
    environment = os.environ | {"WSBENCH_HOME": str(wsbench.home())}
    both = [subprocess.Popen([sys.executable, "-c", code], env=environment) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    fetched = [path for path, _ in server.requests if path.endswith("zoo.h5")]
    assert len(fetched) == 1
    assert leftovers() == [ID]
