"""`library ...`: lists, shows, removes, rescans and exports songs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from llm_music_gen.cli.options import open_studio

if TYPE_CHECKING:
    from llm_music_gen.domain.song import Song
    from llm_music_gen.studio.studio import Studio


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="all songs and their total length")
    listing.add_argument("--json", action="store_true", help="one JSON object a song")
    show = actions.add_parser("show", help="everything about one song")
    show.add_argument("song", metavar="SONG")
    show.add_argument("--json", action="store_true", help="as a JSON object")
    actions.add_parser("remove", help="move a song to the trash").add_argument("song", metavar="SONG")
    actions.add_parser("undo", help="bring the song back that was removed last")
    actions.add_parser("rescan", help="look through the songs' folder again")
    actions.add_parser("export", help="write a playlist (m3u)").add_argument("file", metavar="FILE.m3u", type=Path)


def run(arguments: argparse.Namespace) -> int:
    """Carry out the action."""
    with open_studio() as studio:
        actions = {"list": _list, "show": _show, "remove": _remove, "undo": _undo, "rescan": _rescan, "export": _export}
        actions[arguments.action](studio, arguments)
    return 0


def _list(studio: Studio, arguments: argparse.Namespace) -> None:
    from llm_music_gen.studio.batch import song_facts

    songs = studio.library.songs()
    if arguments.json:
        for song in songs:
            print(json.dumps(song_facts(song), ensure_ascii=False))
        return
    for number, song in enumerate(songs, start=1):
        mark = '   (files are missing: run "llm-music-gen library rescan")' if song.missing else ""
        print(f"{number:4d}  {_clock(song.length_s)}  {song.title}  [{', '.join(song.styles)}]{mark}")
    total_s = sum(song.length_s for song in songs if not song.missing)
    print(f"Total Songs Length: {_clock(total_s)}  ({_count(len(songs))})")


def _show(studio: Studio, arguments: argparse.Namespace) -> None:
    from llm_music_gen.studio.batch import song_facts

    song = studio.library.find(arguments.song)
    facts = song_facts(song)
    if arguments.json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    files = facts.pop("files")
    rows = {**facts, "length_s": f"{facts['length_s']:.3f}", "styles": ", ".join(facts["styles"]), "folder": song.folder, **files}
    for name, value in rows.items():
        print(f"{name:>16}  {value}")
    if song.missing:
        print('Its audio files were moved or deleted; "llm-music-gen remake" makes them again from the recipe.')


def _remove(studio: Studio, arguments: argparse.Namespace) -> None:
    song: Song = studio.library.find(arguments.song)
    studio.library.remove(song)
    print(f'"{song.title}" lies in the trash; "llm-music-gen library undo" brings it back.')


def _undo(studio: Studio, _arguments: argparse.Namespace) -> None:
    print(f'"{studio.library.restore().title}" is back.')


def _rescan(studio: Studio, _arguments: argparse.Namespace) -> None:
    came, went = studio.library.rescan()
    print(f"{_count(came)} came in, {went} went out.")


def _export(studio: Studio, arguments: argparse.Namespace) -> None:
    from llm_music_gen.library.playlist import write_m3u

    count = write_m3u(studio.library.songs(), arguments.file)
    print(f"{arguments.file} holds {_count(count)}.")


def _count(songs: int) -> str:
    return "1 song" if songs == 1 else f"{songs} songs"


def _clock(length_s: float) -> str:
    whole = round(length_s)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
