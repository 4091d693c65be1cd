"""A local server that speaks as much of the Hub's API as an upload, a tag and a download need."""

import base64
import hashlib
import http.server
import json
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager

from support.running import running

TOKEN = "hf_test"


class Hub(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Repositories in memory.

    Attributes
    ----------
    files
        Repository to path to bytes, on its branch main.
    tags
        Repository to names.
    objects
        sha256 to bytes, uploaded and not committed yet.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, dict[str, bytes]] = {}
        self.tags: dict[str, list[str]] = {}
        self.objects: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = self.path.partition("?")[0].strip("/").split("/")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.reply(401, {"error": "Invalid username or password."})
        elif parts == ["api", "repos", "create"]:
            asked = json.loads(body)
            name = f"{asked.get('organization', 'someone')}/{asked['name']}"
            self.server.files.setdefault(name, {})
            self.reply(200, {"url": f"{self.server.url}/datasets/{name}", "name": name})
        elif parts == ["api", "validate-yaml"]:  # the head of the card
            self.reply(200, {"errors": [], "warnings": []})
        elif parts[-2:] == ["preupload", "main"]:
            files = [
                {
                    "path": file["path"], "shouldIgnore": False,
                    "uploadMode": "lfs" if file["path"].endswith((".h5", ".npz")) else "regular",
                }
                for file in json.loads(body)["files"]
            ]  # fmt: skip
            self.reply(200, {"files": files})
        elif parts[-3:] == ["info", "lfs", "objects"] or parts[-1] == "batch":
            objects = [
                one | {"actions": {"upload": {"href": f"{self.server.url}/lfs/{one['oid']}"}}}
                for one in json.loads(body)["objects"]
            ]
            self.reply(200, {"transfer": "basic", "objects": objects})
        elif parts[-2:] == ["commit", "main"]:
            self._commit("/".join(parts[2:4]), body)
        elif parts[-2] == "tag":
            tag, repository = json.loads(body)["tag"], "/".join(parts[2:4])
            self.server.tags.setdefault(repository, []).append(tag)
            self.reply(200, {})
        else:
            self.reply(404, {"error": self.path})

    def _commit(self, repository: str, body: bytes) -> None:
        for line in body.decode().splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                self.server.files[repository][value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                self.server.files[repository][value["path"]] = self.server.objects[value["oid"]]
        oid = "0" * 40
        url = f"{self.server.url}/datasets/{repository}/commit/{oid}"
        self.reply(200, {"commitUrl": url, "commitOid": oid, "hookOutput": ""})

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.objects[hashlib.sha256(data).hexdigest()] = data
        self.reply(200, {})

    def do_GET(self) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[0] == "datasets" and parts[3:5] == ["resolve", "main"]:
            data = self.server.files.get("/".join(parts[1:3]), {}).get("/".join(parts[5:]))
            if data is not None:
                self.send(200, data)
                return
        self.reply(404, {"error": self.path})

    def reply(self, status: int, content: dict[str, object]) -> None:
        self.send(status, json.dumps(content).encode(), "application/json")

    def send(self, status: int, data: bytes, kind: str = "application/octet-stream") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def hub() -> Iterator[Hub]:
    server = Hub()
    with running(server):
        yield server
