"""What `get` and `models get` have in common: options, the list of what is known, the download on the terminal."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from llm_music_gen.cli.bars import ProgressLines

if TYPE_CHECKING:
    from llm_music_gen.fetching.known import Kind


def add_get_options(parser: argparse.ArgumentParser) -> None:
    """The name, and what to do with it."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="what to get (default: list what is known)")
    parser.add_argument("--link", action="store_true", help="only print plain links for a browser; nothing is fetched")
    parser.add_argument("--json", action="store_true", help="one JSON object a file; progress goes to stderr")


def get_or_list(arguments: argparse.Namespace, kind: Kind) -> int:
    """Carry out the command."""
    from llm_music_gen.paths import studio_paths
    from llm_music_gen.studio.getting import GetRequest, entries, folder_for, get, links

    paths = studio_paths()
    if not arguments.name:
        for entry in entries(kind, paths):
            print(json.dumps(entry, ensure_ascii=False) if arguments.json else _line(entry))
        return 0
    request = GetRequest(kind, arguments.name, getattr(arguments, "quant", ""))
    wish = request.wish()
    if arguments.link:
        for address in links(wish):
            print(address)
        return 0
    lines = ProgressLines(sys.stderr)
    lines.say(f"By hand: {' and '.join(links(wish))} into {folder_for(wish, paths)}")
    work = get(request, paths)
    with closing(work):
        lines.begin(f"Getting {wish.entry.name}...")
        try:
            while True:
                report = next(work)
                note = report.message.partition(": ")[2] if report.stage == "download" else report.message
                lines.move(report.fraction, note)
        except StopIteration as stop:
            lines.move(1.0)
            files = stop.value
        finally:
            lines.end()
    for file in files:
        facts = {"file": str(file), "size_bytes": file.stat().st_size}
        print(json.dumps(facts, ensure_ascii=False) if arguments.json else f"Llm-Music-Gen: {file} is ready.")
    return 0


def _line(entry: dict[str, Any]) -> str:
    """One known thing, in a line or two."""
    here = "  (is here)" if entry["here"] else ""
    text = f"{entry['name']}  {entry['about']}. {entry['size']}. Licence: {entry['licence']}.{here}"
    if entry["sizes"]:
        sizes = ", ".join(f"{quant} {size}" for quant, size in entry["sizes"].items())
        text += f"\n    --quant {sizes} (default: {entry['default']})"
    return text
