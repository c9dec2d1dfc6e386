"""`doctor`: says what is there, what is missing and what to do."""

from __future__ import annotations

import argparse

from llm_music_gen.cli.options import open_studio


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Print one line a fact; 1 when something that is needed is missing."""
    import json
    from dataclasses import asdict

    with open_studio() as studio:
        facts = studio.doctor()
    for fact in facts:
        if arguments.json:
            print(json.dumps(asdict(fact), ensure_ascii=False))
        else:
            mark = "ok     " if fact.ok else "MISSING" if fact.needed else "absent "
            print(f"{mark}  {fact.name}: {fact.found}" + (f" {fact.advice}" if fact.advice else ""))
    return 1 if any(fact.needed and not fact.ok for fact in facts) else 0
