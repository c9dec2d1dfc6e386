"""The app in a browser on this computer: textual-serve runs one app for each page that is open.

Only this computer can connect, and only who knows the key in the address that was printed, so that neither other users of the
computer nor other web sites in the same browser can drive the app: the page turns the key into a cookie of its own.
"""

from __future__ import annotations

import hmac
import secrets
import shlex
import sys
import threading
import webbrowser
from pathlib import Path
from typing import Any

from llm_music_gen.errors import DependencyMissing, StorageError, UsageError

HOST = "127.0.0.1"
TITLE = "Llm-Music-Gen"
TEMPLATES = Path(__file__).resolve().parent / "templates"


def serve_app(port: int, *, open_browser: bool = False) -> int:
    """Serve until Ctrl-C. Raises UsageError for an impossible port, StorageError for one that is taken."""
    if not 1 <= port <= 65_535:
        raise UsageError(f"{port} is no port.", hint="Give a number from 1024 to 65535.")
    server = make_server(port)
    address = f"http://{HOST}:{port}/?key={server.key}"
    print(f"Llm-Music-Gen: The app is at {address}. Ctrl-C ends it.", flush=True)
    if open_browser:
        threading.Timer(1.0, webbrowser.open, [address]).start()
    try:
        server.serve()
    except OSError as error:
        raise StorageError(
            f"Port {port} cannot be used ({error.strerror or error}).", hint="Give another with --port."
        ) from error
    return 0


def make_server(port: int, command: str = "") -> Any:
    """The server, not yet running; `key` is what who opens its page must know. Raises DependencyMissing."""
    try:
        from aiohttp import web
        from textual_serve.server import Server
    except ImportError as error:
        raise DependencyMissing("The browser view needs textual-serve.", hint='Run "pip install textual-serve".') from error

    cookie = f"llm-music-gen-{port}"

    class LocalServer(Server):  # type: ignore[misc]
        key = secrets.token_urlsafe(24)

        async def _make_app(self) -> web.Application:
            app: web.Application = await super()._make_app()
            app.middlewares.append(self.guard)
            return app

        @web.middleware
        async def guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
            """Before everything: the address of this computer, and the key or the cookie made from it."""
            if request.host not in (f"{HOST}:{port}", f"localhost:{port}"):  # a name that somebody lets point here
                raise web.HTTPForbidden(text="This server is only for this computer.")
            if request.path == "/" and _same(request.query.get("key", ""), self.key):
                if request.host != f"{HOST}:{port}":  # the page talks to one address only
                    raise web.HTTPSeeOther(f"http://{HOST}:{port}/?key={self.key}")
                entered = web.HTTPSeeOther("/")
                entered.set_cookie(cookie, self.key, httponly=True, samesite="Strict", path="/")
                raise entered
            if not _same(request.cookies.get(cookie, ""), self.key):
                raise web.HTTPForbidden(text="Open the address that Llm-Music-Gen printed when it started, with its key.")
            response: web.StreamResponse = await handler(request)
            return response

        def initialize_logging(self) -> None:
            """The terminal shows one line, not every request."""

        async def on_startup(self, app: web.Application) -> None:
            """Nothing to announce: the command has done so."""

        async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
            if request.headers.get("Origin", "") not in allowed_origins(port):
                raise web.HTTPForbidden(text="This page does not come from Llm-Music-Gen.")
            response: web.WebSocketResponse = await super().handle_websocket(request)
            return response

    # Textual-serve starts the app through the system's shell, hence the quotes around a path that may hold anything.
    python = f'"{sys.executable}"' if sys.platform == "win32" else shlex.quote(sys.executable)
    command = command or f"{python} -m llm_music_gen"
    return LocalServer(command, host=HOST, port=port, title=TITLE, templates_path=TEMPLATES)


def allowed_origins(port: int) -> tuple[str, ...]:
    """Where a page must come from to drive the app."""
    return (f"http://{HOST}:{port}", f"http://localhost:{port}")


def _same(given: str, key: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), key.encode())
