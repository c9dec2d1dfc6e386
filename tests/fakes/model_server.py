"""A model server on 127.0.0.1 that behaves as the test says: well, or in one of the ways in which servers misbehave."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from llm_music_gen.llm.openai_server import OpenAiServer

Behaviour = Callable[["Handler", dict[str, Any]], None]


class Handler(BaseHTTPRequestHandler):
    server: Scripted

    def do_GET(self) -> None:
        self.reply(200, json.dumps({"data": [{"id": "tiny"}]}))

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(request)
        self.server.keys.append(self.headers.get("Authorization"))
        self.server.behaviour(self, request)

    def reply(self, status: int, body: str, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def stream(self, *texts: str, done: bool = True) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for text in texts:
            self.wfile.write(f": ping\ndata: {json.dumps({'choices': [{'delta': {'content': text}}]})}\n\n".encode())
            self.wfile.flush()
        if done:
            self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class Scripted(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviour: Behaviour = lambda handler, _: handler.reply(404, "{}")
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []

    def behaves(self, behaviour: Behaviour, **options: float) -> OpenAiServer:
        self.behaviour = behaviour
        return OpenAiServer(f"http://127.0.0.1:{self.server_port}/v1", **options)  # type: ignore[arg-type]


@contextmanager
def scripted_server() -> Iterator[Scripted]:
    """A running server; its requests can be looked at afterwards."""
    server = Scripted()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def wait_for_the_end(handler: Handler, seconds: float = 10.0) -> bool:
    """Say nothing until the other side closes the connection; whether it did."""
    handler.connection.settimeout(seconds)
    handler.close_connection = True
    try:
        rest: bytes = handler.connection.recv(1)
    except TimeoutError:
        return False
    except OSError:
        return True
    return rest == b""


def chatter(handler: Handler, _: dict[str, Any]) -> None:
    """Talk on and on."""
    try:
        handler.stream(*["la "] * 20, done=False)
        for _turn in range(200):
            handler.wfile.write(b": ping\n")
            handler.wfile.flush()
            time.sleep(0.02)
    except OSError:
        pass  # the other side has gone, as it should
