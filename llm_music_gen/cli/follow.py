"""Follows the studio's work on the terminal, and prints the finished songs for people or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from llm_music_gen.cli import stopping
from llm_music_gen.cli.bars import ProgressLines
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.domain.song import Song
from llm_music_gen.studio.batch import Outcome, song_facts
from llm_music_gen.studio.song import SHARES

FORMAT_NAMES = {"mp3": "Mp3", "wav": "WAV", "flac": "FLAC", "opus": "Opus"}


def follow_songs(work: Work[Sequence[Outcome]], what: str, *, as_json: bool) -> int:
    """Run song-making work to its end, showing it. Returns 1 if any song failed, otherwise 0.

    With `as_json` one object a song goes to stdout and everything else to stderr.
    """
    stopping.forget()
    lines = ProgressLines(sys.stderr if as_json else sys.stdout)
    said: set[str] = set()
    with closing(work):
        try:
            while True:
                stopping.check()
                _show(next(work), lines, what, as_json, said)
        except StopIteration as stop:
            outcomes: Sequence[Outcome] = stop.value
        finally:
            lines.end()
    return 1 if any(outcome.error for outcome in outcomes) else 0


def follow(work: Work[Any], caption: str, stream: Any = None) -> Any:
    """Run any other work to its end under one caption and return its result."""
    stopping.forget()
    lines = ProgressLines(stream)
    with closing(work):
        lines.begin(caption)
        try:
            while True:
                stopping.check()
                lines.move(next(work).fraction)
        except StopIteration as stop:
            lines.move(1.0)
            return stop.value
        finally:
            lines.end()


def _show(progress: Progress, lines: ProgressLines, what: str, as_json: bool, said: set[str]) -> None:
    """One report on the screen. `said` remembers the hints, which are the same for every song of a batch."""
    number = progress.detail.get("song_number", 1)
    what = progress.detail.get("what", what)
    row = {"row": progress.detail["row"]} if "row" in progress.detail else {}
    if progress.stage == "finished":
        song: Song = progress.detail["song"]
        lines.end()
        if as_json:
            print(json.dumps({**row, **song_facts(song)}, ensure_ascii=False), flush=True)
        else:
            _announce(song, lines)
        for hint in song.hints:
            if hint not in said:
                lines.say(hint)
                said.add(hint)
    elif progress.stage == "failed":
        lines.say(f"Song number {number} failed. {progress.message}")
        if as_json and row:
            print(json.dumps({**row, "error": progress.message}, ensure_ascii=False), flush=True)
    elif progress.stage == "skipped":
        if as_json:
            known = {name: progress.detail[name] for name in ("title", "id")}
            print(json.dumps({**row, "skipped": True, **known}, ensure_ascii=False), flush=True)
        else:
            lines.say(progress.message)
    elif progress.stage == "plan":
        lines.say(progress.message)
    elif "paused" in progress.detail:
        if progress.message not in said:
            lines.say(progress.message)
        said.add(progress.message)
    elif progress.stage == "convert":
        name = FORMAT_NAMES[progress.detail["format"]]
        how = "Writing song number {} as WAV..." if name == "WAV" else f"Converting song number {{}} from WAV to {name}..."
        lines.begin(how.format(number), after_done=True)
        lines.move(progress.fraction)
    elif "note" in progress.detail or (progress.stage == "files" and "proof" in progress.detail):
        lines.say(progress.message)
    elif progress.stage == "elsewhere":
        lines.begin(f"{progress.message}...")
        lines.move(progress.fraction)
    elif progress.stage in SHARES:
        lines.begin(f"Producing {what} song number {number}...")
        lines.move(progress.detail.get("whole", progress.fraction), _aside(progress))


def _aside(progress: Progress) -> str:
    """What stands behind the bar while it moves: the time left of hours, or how fast a model writes."""
    pace = progress.detail.get("tokens_per_s")
    if pace and progress.stage in ("theme", "tune"):
        return f"{pace:.0f} tokens/s" if pace >= 10 else f"{pace:.1f} tokens/s"
    return _left(progress.detail.get("left_s"))


def _left(left_s: float | None) -> str:
    """How long it will still take, where that is known: "about 2:05 h left"."""
    if left_s is None:
        return ""
    minutes = max(1, round(left_s / 60))
    return f"about {minutes // 60}:{minutes % 60:02d} h left" if minutes >= 60 else f"about {minutes} min left"


def _announce(song: Song, lines: ProgressLines) -> None:
    minutes, seconds = divmod(round(song.length_s), 60)
    lines.say(f'"{song.title}" ({minutes:02d}:{seconds:02d}, {song.key}, {song.tempo_bpm:g} BPM) is ready: {song.audio_file}')
