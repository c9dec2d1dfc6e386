"""`serve`: shows the app in a browser on this computer."""

from __future__ import annotations

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--port", metavar="N", type=int, default=8760, help="where the browser finds it (default: 8760)")
    parser.add_argument("--open", action="store_true", help="open the browser as well")


def run(arguments: argparse.Namespace) -> int:
    """Serve until it is stopped with Ctrl-C."""
    from llm_music_gen.servers.web import serve_app

    return serve_app(arguments.port, open_browser=arguments.open)
