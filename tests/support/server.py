"""A local HTTP server of zoos that misbehaves as it is told."""

import http.server
import socketserver
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from support.running import running


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Serves the files below a folder, with ranges.

    Attributes
    ----------
    faults
        Name of a file to a function that answers in place of the server; it returns whether it did.
    requests
        Path and range of each request, in turn.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.faults: dict[str, Callable[[Handler, bytes], bool]] = {}
        self.requests: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error here."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers.get("Range")))
        path = self.server.folder / self.path.lstrip("/")
        if not path.is_file():
            self.send(404, b"nothing here")
            return
        data = path.read_bytes()
        fault = self.server.faults.get(path.name)
        if fault and fault(self, data):
            return
        self.send_range(data)

    def send_range(self, data: bytes) -> None:
        asked = self.headers.get("Range")
        if asked is None:
            self.send(200, data)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-"))
        if start >= len(data):
            self.send(416, b"")
            return
        self.send(
            206, data[start:], {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
        )

    def send(
        self,
        status: int,
        data: bytes,
        headers: dict[str, str] | None = None,
        length: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()
        if length is not None and length != len(data):
            self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        pass


def truncates(handler: Handler, data: bytes) -> bool:
    """Send the first half of a file at most, and hang up."""
    asked = handler.headers.get("Range")
    start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
    rest = data[start:]
    headers = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
    handler.send(206 if start else 200, data[start : len(data) // 2], headers, len(rest))
    return True


def stalls(handler: Handler, data: bytes) -> bool:
    """Send a little, and nothing more."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data[:100])
    handler.wfile.flush()
    time.sleep(3)
    handler.close_connection = True
    return True


def lies_about_length(handler: Handler, data: bytes) -> bool:
    """Announce more than there is, or send more than the manifest says."""
    handler.send(200, data + b"more")
    return True


def flips(handler: Handler, data: bytes) -> bool:
    """Send a byte that is another one."""
    changed = bytearray(data)
    changed[len(data) // 2] ^= 1
    handler.send(200, bytes(changed))
    return True


def shows_a_page(handler: Handler, data: bytes) -> bool:
    """Send a page with status 200, as portals do."""
    handler.send(200, b"<html><body>Please log in</body></html>".ljust(len(data)))
    return True


def redirects_for_ever(handler: Handler, data: bytes) -> bool:
    handler.send(302, b"", {"Location": handler.path})
    return True


def fails_twice(status: int) -> Callable[[Handler, bytes], bool]:
    """Answer with an error twice, then as it should."""
    left = [2]

    def answer(handler: Handler, data: bytes) -> bool:
        if left[0]:
            left[0] -= 1
            handler.send(status, b"try again")
            return True
        return False

    return answer


def ignores_ranges(handler: Handler, data: bytes) -> bool:
    handler.send(200, data)
    return True


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve the zoos in the folders of a folder."""
    server = Server(folder)
    with running(server):
        yield server
