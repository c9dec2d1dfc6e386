"""`ask`: says in plain English what is wanted; the studio chooses its tools, shows them, and uses them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from llm_music_gen.cli.options import open_studio

if TYPE_CHECKING:
    from llm_music_gen.assistant.assistant import Assistant, Proposal


def add_options(parser: argparse.ArgumentParser) -> None:
    """The request, the file it is about, and what is done with the plan."""
    parser.add_argument(
        "request", metavar="REQUEST", nargs="+", help='for example "make it warmer and louder for YouTube, remove the hiss"'
    )
    parser.add_argument("--file", metavar="FILE", help="the audio file it is about (default: the one of the request before)")
    parser.add_argument("--plan", action="store_true", help="show the tool calls and run nothing")
    parser.add_argument("--model", metavar="NAME", help="a chat model (GGUF) that plans instead of the built-in rules")
    parser.add_argument("--yes", action="store_true", help="do not ask before deleting and before hours of work")
    parser.add_argument("--json", action="store_true", help="one JSON object for the plan, then one for each answer")


def run(arguments: argparse.Namespace) -> int:
    """Plan, ask where that must be, carry out, tell. 1 when something failed or could not be done."""
    from llm_music_gen.assistant.assistant import Assistant
    from llm_music_gen.studio.model_planner import planner_for

    words = " ".join(arguments.request)
    if arguments.plan:
        return _plan_only(words, arguments.file, arguments.model or "", as_json=arguments.json)
    with open_studio() as studio:
        assistant = Assistant(studio, planner=planner_for(studio.paths, studio.settings, arguments.model or ""))
        if arguments.file:
            assistant.open_file(Path(arguments.file).expanduser())
        proposal = assistant.propose(words)
        _show(proposal, as_json=arguments.json)
        if proposal.question:
            if not arguments.yes and not _agreed(proposal.question):
                return 1
            proposal = assistant.propose("yes")
        if not proposal.ready:
            return 1 if proposal.calls else 0
        return _carry_out(assistant, proposal, as_json=arguments.json)


def _plan_only(words: str, file: str | None, model: str, *, as_json: bool) -> int:
    """The plan for a file that need not be there; nothing is remembered."""
    from llm_music_gen.assistant.catalogue import CATALOGUE
    from llm_music_gen.paths import studio_paths
    from llm_music_gen.processing.files import SUFFIXES
    from llm_music_gen.requests import Situation
    from llm_music_gen.settings import load_settings
    from llm_music_gen.studio.model_planner import planner_for

    paths = studio_paths()
    planner = planner_for(paths, load_settings(paths.settings_file), model)
    try:
        beside = (
            tuple(sorted(path.name for path in Path(file).parent.iterdir() if path.suffix.lower() in SUFFIXES)) if file else ()
        )
    except OSError:
        beside = ()
    plan = planner(words, Situation(file=file, files_in_folder=beside[:500]), CATALOGUE)
    if as_json:
        print(json.dumps(plan.as_json(), ensure_ascii=False))
    else:
        for call in plan.calls:
            print(call)
        print(plan.reply)
    return 0


def _show(proposal: Proposal, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(proposal.as_json(), ensure_ascii=False), flush=True)
    elif proposal.reply:
        print(f"Llm-Music-Gen: {proposal.reply}")


def _agreed(question: str) -> bool:
    """Ask at the terminal. Elsewhere nobody can answer: the question waits for `ask yes`."""
    if not sys.stdin.isatty():
        print(f'Llm-Music-Gen: {question} Say "llm-music-gen ask yes", or give --yes.', file=sys.stderr)
        return False
    return input(f"Llm-Music-Gen: {question} [y/N] ").strip().lower() in ("y", "yes")


def _carry_out(assistant: Assistant, proposal: Proposal, *, as_json: bool) -> int:
    from llm_music_gen.cli.follow import follow
    from llm_music_gen.domain.progress import finish

    work = assistant.carry_out(proposal)
    answers = follow(work, "Working...", sys.stderr) if proposal.takes_long else finish(work)
    for answer in answers:
        if as_json:
            print(json.dumps(answer.as_json(), ensure_ascii=False), flush=True)
        else:
            print(f"Llm-Music-Gen: {answer.text}" if not answer.failed else f"Llm-Music-Gen: It failed: {answer.text}")
    failed = any(answer.failed for answer in answers)
    tracks = [str(path) for answer in answers for path in answer.play]
    if tracks and not failed and not as_json and sys.stdout.isatty():
        from llm_music_gen.cli.commands import play

        parser = argparse.ArgumentParser()
        play.add_options(parser)
        return play.run(parser.parse_args(["--", *tracks]))
    return 1 if failed else 0
