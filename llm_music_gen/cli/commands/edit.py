"""`edit SONG REQUEST`: changes a finished song by request; only what changed is played anew, and the former version is kept."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from llm_music_gen.cli.options import open_studio
from llm_music_gen.errors import UsageError

if TYPE_CHECKING:
    from llm_music_gen.domain.song import Song
    from llm_music_gen.studio.editing import EditingRoom, SongEdit


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("song", metavar="SONG", help='title, number in the list, folder name, beginning of the id, or "last"')
    parser.add_argument(
        "request", metavar="REQUEST", nargs="?", help='for example "make the second part calmer, and end in major"'
    )
    parser.add_argument("--plan", action="store_true", help="only say what would be done")
    parser.add_argument("--yes", action="store_true", help="do what was understood, even where a part of the request was not")
    parser.add_argument("--anyway", action="store_true", help="also where style sheets or the soundfont have changed since")
    parser.add_argument("--undo", metavar="N", nargs="?", const="1", help="bring the former version back, or the one N edits ago")
    parser.add_argument("--history", action="store_true", help="the versions of the song and what was asked")
    parser.add_argument("--json", action="store_true", help="print JSON; progress goes to stderr")


def run(arguments: argparse.Namespace) -> int:
    """Edit, plan, undo or list."""
    with open_studio() as studio:
        room = studio.editing()
        song = room.song(arguments.song)
        if arguments.history:
            return _history(room, song, arguments.json)
        if arguments.undo is not None:
            return _undo(room, song, arguments.undo, arguments.json)
        if not arguments.request:
            raise UsageError("Say what shall be different.", hint='For example: edit last "make the second part calmer"')
        edit = room.plan(song, arguments.request, anyway=arguments.anyway)
        if arguments.plan or not edit.operations:
            return _plan(edit, arguments.json)
        if not arguments.json:
            _show(edit)
        if edit.remarks and not arguments.yes and not _agreed():
            _say(edit.remarks if arguments.json else ())
            print("Nothing was changed. With --yes what was understood is done.", file=sys.stderr)
            return 1
        return _follow(room, edit, arguments.json)


def _follow(room: EditingRoom, edit: SongEdit, as_json: bool) -> int:
    from llm_music_gen.cli.follow import follow_songs

    return follow_songs(room.outcomes(edit), "edited", as_json=as_json)


def _plan(edit: SongEdit, as_json: bool) -> int:
    if as_json:
        print(json.dumps(edit.to_dict(), ensure_ascii=False))
    else:
        _show(edit)
    return 0 if edit.operations else 2


def _show(edit: SongEdit) -> None:
    if edit.operations:
        print(f'"{edit.song.title}":')
        for number, operation in enumerate(edit.operations, start=1):
            print(f"  {number}. {operation}")
    _say(edit.remarks)


def _say(remarks: tuple[str, ...]) -> None:
    for remark in remarks:
        print(remark, file=sys.stderr)


def _agreed() -> bool:
    """Whether the person at the terminal wants the rest done; nobody there agrees to nothing."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print("Do the rest? (y/n) ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _undo(room: EditingRoom, song: Song, steps: str, as_json: bool) -> int:
    if not steps.isdigit() or int(steps) < 1:
        raise UsageError(f"{steps!r} is no number of edits.", hint="Give 1 or more.")
    former = room.undo(song, int(steps))
    if as_json:
        from llm_music_gen.studio.batch import song_facts

        print(json.dumps(song_facts(former), ensure_ascii=False))
    else:
        print(f'"{former.title}" is as it was before: {former.audio_file}')
    return 0


def _history(room: EditingRoom, song: Song, as_json: bool) -> int:
    versions = room.history(song)
    if as_json:
        print(json.dumps([version.to_dict() for version in versions], ensure_ascii=False))
        return 0
    for number, version in enumerate(versions, start=1):
        here = " (now)" if version.identity == song.id else "" if version.is_kept else " (its files are gone)"
        asked = f'"{version.request}": ' if version.request else ""
        print(f"{number}. {asked}{version.changes}{here}")
    return 0
