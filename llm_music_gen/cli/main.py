"""The command line: one file per command, chosen here by name. Asking for help loads no engine."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Sequence

from llm_music_gen import __version__
from llm_music_gen.cli import stopping
from llm_music_gen.cli.clean_output import answers_only, own_words_only, shown
from llm_music_gen.errors import StudioError

#: Command -> one line for the list of commands; its module has the same name under `commands`.
COMMANDS = {
    "generate": "make songs from styles",
    "library": "list, show, remove, rescan or export your songs",
    "evaluate": "make songs in many styles, or take files, and print what they measure",
    "proof": "measure a finished file and say what is as promised",
    "remake": "make a song again from its recipe",
    "resume": "go on with tracks of hours that were interrupted",
    "like": "make another song of the same kind",
    "edit": "change a finished song by request: calmer, in D minor, drums out; and undo",
    "render": "turn your own ABC or MIDI file into a finished song",
    "ask": "say in plain English what should happen",
    "mcp": "offer the studio's tools to other assistants on this computer",
    "process": "change audio files by request: warmer, louder, without the hiss",
    "describe": "say in words what a sound is like: scene, events, loudness, mood",
    "analyze": "print what a sound measures: loudness, key, tempo, tones, faults",
    "transcribe": "write down what is said in audio files, as text or subtitles",
    "melody": "write down a melody that is hummed, sung, whistled or played, as notes",
    "speak": "speak a text into a file",
    "voices": "list the voices that can speak",
    "talk": "say what should happen and hear the answer",
    "styles": "list the style and mood words",
    "play": "play audio files, folders or playlists in the jukebox",
    "jobs": "what is queued, running and done",
    "serve": "show the app in a browser on this computer",
    "models": "list the language models on this computer, or get one",
    "get": "get soundfonts, voices and models from the network",
    "doctor": "say what is there, what is missing and what to do",
    "worker": "carry out the queue (the app starts it by itself)",
}
#: Commands that read sound files of any origin, about which decoders print pages.
_READING = frozenset(("process", "describe", "analyze", "transcribe"))
INTERRUPTED = 130


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line and return its exit code. Errors go to stderr as one sentence."""
    _speak_utf8()
    stopping.listen()
    try:
        parsed = _parser(arguments).parse_args(arguments)
        module = importlib.import_module(f"llm_music_gen.cli.commands.{parsed.command}")
        with contextlib.ExitStack() as streams:
            if getattr(parsed, "json", False):
                streams.enter_context(answers_only())
            if parsed.command in _READING:
                streams.enter_context(own_words_only())
            code: int = module.run(parsed)
            sys.stdout.flush()
        return code
    except SystemExit as ended:  # argparse has printed help or its complaint
        return ended.code if isinstance(ended.code, int) else 2
    except KeyboardInterrupt:
        print("\nLlm-Music-Gen: Stopped. What was finished is kept.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except StudioError as error:
        print(f"Llm-Music-Gen: {shown(error)}", file=sys.stderr)
        return error.exit_code


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Only the command that was named describes its options, so that the others need not even be imported."""
    parser = argparse.ArgumentParser(
        prog="llm-music-gen",
        description="A local, offline music studio: styles in, finished songs out. Without arguments the app opens.",
    )
    parser.add_argument("--version", action="version", version=f"Llm-Music-Gen {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    named = next((argument for argument in arguments if argument in COMMANDS), "")
    for name, summary in COMMANDS.items():
        description = summary[0].upper() + summary[1:] + "."
        # A command may have a --help of its own.
        command = commands.add_parser(name, help=summary, description=description, conflict_handler="resolve")
        if name == named:
            importlib.import_module(f"llm_music_gen.cli.commands.{name}").add_options(command)
    return parser


def _speak_utf8() -> None:
    """Titles may hold any letter; a console with a smaller set shows the others as `?` instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            with contextlib.suppress(OSError, ValueError):
                reconfigure(errors="replace")
