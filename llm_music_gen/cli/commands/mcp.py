"""`mcp`: offers the studio's tools to other assistants on this computer."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

TOKEN_VARIABLE = "LLM_MUSIC_GEN_TOKEN"


def add_options(parser: argparse.ArgumentParser) -> None:
    """How it is reached, and what it may reach."""
    parser.add_argument("--http", action="store_true", help="on 127.0.0.1 instead of standard input and output")
    parser.add_argument("--port", metavar="N", type=int, default=8770, help="with --http: where (default: 8770)")
    parser.add_argument(
        "--folder", metavar="DIR", action="append", default=[], type=Path,
        help="a folder whose audio files may be read and changed; may be given several times (default: only the studio's songs)",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Serve until the client goes, or until Ctrl-C."""
    from llm_music_gen.errors import UsageError
    from llm_music_gen.paths import studio_paths
    from llm_music_gen.servers.mcp import ToolDesk, serve_http, serve_stdio

    for folder in arguments.folder:
        if not folder.expanduser().is_dir():
            raise UsageError(f"There is no folder {str(folder)!r}.", hint="Give one that is there.")
    desk = ToolDesk(studio_paths(), arguments.folder)
    if arguments.http:
        return serve_http(desk, arguments.port, os.environ.get(TOKEN_VARIABLE, ""))
    return serve_stdio(desk)
