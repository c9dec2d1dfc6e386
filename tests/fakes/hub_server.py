"""A hub on 127.0.0.1, shaped as huggingface_hub asks it, with repositories in memory and whatever goes wrong in between."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34
_RANGE = re.compile(r"bytes=(\d+)-$")
#: Files at least this large are in "large file storage": checksum SHA-256, answered by a redirect.
LARGE_BYTES = 1_000


@dataclass
class Hub:
    """What the hub holds, and how it misbehaves. Tests change the fields while it runs."""

    files: dict[str, bytes] = field(default_factory=dict)
    """`OWNER/REPO/PATH` -> content. Paths below `plain/` are served without any hub headers."""
    break_after: list[int] = field(default_factory=list)
    """Each number is used up by one transfer: so many bytes, then the connection breaks."""
    silent_after: list[int] = field(default_factory=list)
    """The same, but then nothing comes any more until the one who asks has gone."""
    errors: list[int] = field(default_factory=list)
    """Each number is used up by one question: that status."""
    transfer_errors: list[int] = field(default_factory=list)
    """The same, for transfers only."""
    gated: set[str] = field(default_factory=set)
    """Repositories that only show their files to whoever has the token."""
    token: str = "secret-token"
    lie_about: dict[str, bytes] = field(default_factory=dict)
    """`OWNER/REPO/PATH` -> other content that is sent instead."""
    web_page: bool = False
    """Send a web page instead of any file."""
    ranges: bool = True
    listings: dict[str, Any] = field(default_factory=dict)
    """Instead of the real list of files."""
    asked: Counter[str] = field(default_factory=Counter)
    """How often each kind of question came: api, head, transfer."""
    sent_bytes: int = 0
    offsets: list[int] = field(default_factory=list)
    tokens_elsewhere: list[str] = field(default_factory=list)
    """Authorizations that reached the storage, which must not see any."""
    agents: set[str] = field(default_factory=set)
    paths: list[str] = field(default_factory=list)
    address: str = ""
    storage_address: str = ""


@contextmanager
def running_hub(files: dict[str, bytes] | None = None) -> Iterator[Hub]:
    """A hub that answers until the block ends; its storage is another port, as with the real one."""
    hub = Hub(dict(files or {}))
    servers = []
    for name in ("address", "storage_address"):
        server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
        setattr(hub, name, f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The one who asked has hung up, as tests do."""


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub = self.hub
        path = unquote(urlsplit(self.path).path).strip("/")
        hub.paths.append(path)
        hub.agents.add(self.headers.get("User-Agent", ""))
        if path.startswith(("storage/", "plain/")):
            self._transfer(path.removeprefix("storage/"))
        elif hub.errors:
            self._plain(hub.errors.pop(0), b"no")
        elif path.startswith("api/models/"):
            self._api(path.removeprefix("api/models/"))
        elif match := re.match(r"([^/]+/[^/]+)/resolve/([^/]+)/(.+)$", path):
            self._resolve(match[1], match[3])
        else:
            self._plain(404, b"")

    def _api(self, repo: str) -> None:
        hub = self.hub
        hub.asked["api"] += 1
        names = sorted(name.removeprefix(repo + "/") for name in hub.files if name.startswith(repo + "/"))
        if not names and repo not in hub.listings:
            self._plain(401, b"", {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
            return
        siblings = [{"rfilename": name, "size": len(hub.files[f"{repo}/{name}"]), "blobId": "0" * 40} for name in names]
        body = {"id": repo, "modelId": repo, "sha": COMMIT, "private": False, "tags": [], "downloads": 0, "likes": 0}
        self._plain(
            200, json.dumps({**body, "siblings": hub.listings.get(repo, siblings)}).encode(), {"Content-Type": "application/json"}
        )

    def _resolve(self, repo: str, path: str) -> None:
        hub = self.hub
        hub.asked["head" if self.command == "HEAD" else "get"] += 1
        name = f"{repo}/{path}"
        if repo in hub.gated and self.headers.get("Authorization") != f"Bearer {hub.token}":
            self._plain(403, b"", {"X-Error-Code": "GatedRepo", "X-Error-Message": "You must agree"})
        elif name not in hub.files:
            self._plain(404, b"", {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"})
        elif len(hub.files[name]) < LARGE_BYTES:
            self._transfer(name)
        else:
            content = hub.files[name]
            headers = {
                "X-Repo-Commit": COMMIT,
                "X-Linked-Size": str(len(content)),
                "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
                "X-Xet-Hash": "0" * 64,  # as with repositories that are stored the newer way
                "X-Xet-Refresh-Route": f"{hub.address}/api/models/{repo}/xet-read-token/{COMMIT}",
                "Location": f"{hub.storage_address}/storage/{name}",
            }
            self._plain(302, b"", headers)

    def _transfer(self, name: str) -> None:
        hub = self.hub
        if self.headers.get("Host") == urlsplit(hub.storage_address).netloc and self.headers.get("Authorization"):
            hub.tokens_elsewhere.append(self.headers["Authorization"])
        if self.command == "GET":
            hub.asked["transfer"] += 1
            if hub.transfer_errors:
                self._plain(hub.transfer_errors.pop(0), b"no")
                return
        if hub.web_page and self.command == "GET":
            self._plain(200, b"<!doctype html><p>Please log in.", {"Content-Type": "text/html; charset=utf-8"})
            return
        if name not in hub.files:
            self._plain(404, b"")
            return
        content = hub.lie_about.get(name, hub.files[name])
        git = hashlib.sha1(b"blob %d\0" % len(hub.files[name]) + hub.files[name], usedforsecurity=False).hexdigest()
        etag = f'"{git}"' if not name.startswith("plain/") else f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        match = _RANGE.match(self.headers.get("Range", "")) if hub.ranges else None
        if match and self.headers.get("If-Range", etag) != etag:
            match = None
        start = int(match[1]) if match else 0
        if match and start >= len(content):
            self._plain(416, b"")
            return
        if self.command == "GET":
            hub.offsets.append(start)
        self.send_response(206 if match else 200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("ETag", etag)
        if not name.startswith("plain/"):
            self.send_header("X-Repo-Commit", COMMIT)
        if match:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        body = content[start:]
        if hub.break_after:
            body = body[: hub.break_after.pop(0)]
            self.close_connection = True
        if hub.silent_after:
            body = body[: hub.silent_after.pop(0)]
            self.wfile.write(body)
            hub.sent_bytes += len(body)
            self.close_connection = True
            self.connection.settimeout(20.0)
            self.rfile.read(1)  # ends when the other side hangs up
            return
        self.wfile.write(body)
        hub.sent_bytes += len(body)

    def _plain(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "text/plain", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
