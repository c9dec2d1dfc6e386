"""The app in a browser on this computer: textual-serve runs one app for each page that is open.

Only this computer can connect, and only pages that this server gave out: another web site that happens to be open in the same
browser is turned away by its origin.
"""

from __future__ import annotations

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
    address = f"http://{HOST}:{port}"
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
    """The server, not yet running. Raises DependencyMissing."""
    try:
        from aiohttp import web
        from textual_serve.server import Server
    except ImportError as error:
        raise DependencyMissing("The browser view needs textual-serve.", hint='Run "pip install textual-serve".') from error

    class LocalServer(Server):  # type: ignore[misc]
        def initialize_logging(self) -> None:
            """The terminal shows one line, not every request."""

        async def on_startup(self, app: web.Application) -> None:
            """Nothing to announce: the command has done so."""

        async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
            if request.headers.get("Origin", "") not in allowed_origins(port):
                raise web.HTTPForbidden(text="This page does not come from Llm-Music-Gen.")
            response: web.WebSocketResponse = await super().handle_websocket(request)
            return response

    # Textual-serve starts the app through the system's shell, hence the quotes around a path that may hold blanks.
    command = command or f'"{sys.executable}" -m llm_music_gen'
    return LocalServer(command, host=HOST, port=port, title=TITLE, templates_path=TEMPLATES)


def allowed_origins(port: int) -> tuple[str, ...]:
    """Where a page must come from to drive the app."""
    return (f"http://{HOST}:{port}", f"http://localhost:{port}")
