"""`talk`: says what should happen by voice; the answer is shown and spoken. Enter begins and ends each recording."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llm_music_gen.assistant.assistant import Assistant
    from llm_music_gen.studio.studio import Studio


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--file", metavar="WAV", help="a recording of one command, instead of the microphone")
    parser.add_argument("--voice", metavar="V", default="", help='one of "llm-music-gen voices" (default: the first)')
    parser.add_argument("--quiet", action="store_true", help="show the answers and do not speak them")


def run(arguments: argparse.Namespace) -> int:
    """One command from a file, or a conversation until Ctrl-C or the end of the input."""
    from llm_music_gen.assistant.assistant import Assistant
    from llm_music_gen.cli.options import open_studio
    from llm_music_gen.studio import voice_room as room

    with open_studio() as studio:
        room.check_voice(arguments.voice, studio.paths)
        assistant = Assistant(studio, "talk")
        if arguments.file:
            return _turn(room.command_in_file(Path(arguments.file).expanduser()), assistant, studio, arguments)
        return _conversation(assistant, studio, arguments)


def _conversation(assistant: Assistant, studio: Studio, arguments: argparse.Namespace) -> int:
    from llm_music_gen.studio import voice_room as room
    from llm_music_gen.voice.microphone import Microphone

    print("Llm-Music-Gen: Press Enter, speak, press Enter again. Ctrl-C ends.")
    with Microphone() as microphone:
        try:
            while True:
                input("[Enter to speak] ")
                microphone.start()
                input("Listening... [Enter when done] ")
                _turn(room.command_heard(iter([microphone.stop()])), assistant, studio, arguments)
        except (EOFError, KeyboardInterrupt):
            print()
            return 0


def _turn(words: str, assistant: Assistant, studio: Studio, arguments: argparse.Namespace) -> int:
    """What was said, what came of it. 1 where nothing was understood or something failed."""
    from llm_music_gen.cli.follow import follow
    from llm_music_gen.domain.progress import finish

    if not words:
        _answer("I did not understand that. Try for example: make a calm piano song.", studio, arguments)
        return 1
    print(f"You: {words}")
    proposal = assistant.propose(words)
    if proposal.question or not proposal.ready:
        _answer(" ".join(filter(None, (proposal.reply, proposal.question))), studio, arguments)
        return 1 if proposal.calls and not proposal.question else 0
    if proposal.reply:
        print(f"Llm-Music-Gen: {proposal.reply}")
    work = assistant.carry_out(proposal)
    answers = follow(work, "Working...", sys.stderr) if proposal.takes_long else finish(work)
    _answer("\n".join(answer.text for answer in answers), studio, arguments)
    tracks = [str(path) for answer in answers for path in answer.play]
    failed = any(answer.failed for answer in answers)
    if tracks and not failed and not arguments.quiet and sys.stdout.isatty():
        _play(tracks)
    return 1 if failed else 0


def _answer(text: str, studio: Studio, arguments: argparse.Namespace) -> None:
    """Show an answer and, unless it shall be quiet, speak it where somebody sits."""
    from llm_music_gen.errors import StudioError
    from llm_music_gen.studio import voice_room as room

    if not text.strip():
        return
    print(f"Llm-Music-Gen: {text}", flush=True)
    if arguments.quiet or not sys.stdout.isatty():
        return
    try:
        room.say_aloud(text, arguments.voice, studio.paths, studio.settings)
    except StudioError as error:
        print(f"Llm-Music-Gen: The answer cannot be spoken: {error}", file=sys.stderr)


def _play(tracks: list[str]) -> None:
    from llm_music_gen.cli.commands import play

    parser = argparse.ArgumentParser()
    play.add_options(parser)
    play.run(parser.parse_args(["--", *tracks]))
