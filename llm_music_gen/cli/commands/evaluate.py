"""`evaluate`: makes songs in many styles, or takes finished files, and prints what they measure."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_music_gen.parsing import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from llm_music_gen.studio.studio import Studio
    from llm_music_gen.styles import Style

MAX_SONGS = 10_000
#: What is too long for a line of text; the objects of --json have it.
_LONG = ("title", "styles", "file", "task", "histograms", "humans", "setting")
RECORD = "evaluation.jsonl"
#: Counted up when a figure is measured in another way: older lines of a record are then measured again.
DEFINITIONS = 2


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("files", metavar="FILE", nargs="*", help="audio files to measure (default: make songs)")
    parser.add_argument("--styles", metavar="LIST", help="style words separated by commas, each by itself (default: all)")
    parser.add_argument("--songs", metavar="N", default="1", help="songs of each style (default: 1)")
    parser.add_argument(
        "--tunes", metavar="N", help="write N tunes over the styles, without sound, and compare them with people's"
    )
    parser.add_argument("--seed", metavar="N", default="1", help="of the first song (default: 1)")
    parser.add_argument("--length", metavar="SPEC", help="of each song (default: 30s; of tunes 2m)")
    parser.add_argument("--soundfont", metavar="FILE", help="SF2 or SF3 file with the instruments")
    parser.add_argument("--out", metavar="DIR", help=f"keep the songs and {RECORD} here; a later run goes on from there")
    parser.add_argument("--json", action="store_true", help="one JSON object a song, then the summary")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; 1 when a song could not be made."""
    from tempfile import TemporaryDirectory

    if arguments.files:
        from llm_music_gen.studio.evaluation import evaluate_audio

        for name in arguments.files:
            _show(evaluate_audio(Path(name).expanduser()), as_json=arguments.json)
        return 0
    from llm_music_gen.studio.evaluation_summary import summary, targets

    songs = []
    with TemporaryDirectory(prefix="llm-music-gen-", ignore_cleanup_errors=True) as scratch:
        for facts in _songs(arguments, Path(arguments.out or scratch).expanduser()):
            songs.append(facts)
            _show(facts, as_json=arguments.json)
    good = [facts for facts in songs if "error" not in facts]
    if good:
        found = summary(good)
        _show({"title": "All songs", **found}, as_json=arguments.json)
        if not arguments.json:
            for kept, line in targets(found):
                print(f"{'ok    ' if kept else 'MISSED'} {line}")
    return 0 if len(good) == len(songs) else 1


def _songs(arguments: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    """Facts of every song, from the record where it was measured before. Raises UsageError, StyleError, StorageError."""
    from llm_music_gen.errors import StorageError
    from llm_music_gen.paths import studio_paths
    from llm_music_gen.styles import load_styles

    styles = load_styles(studio_paths().styles_dir)
    tasks = _tasks(arguments, styles)
    record = folder / RECORD
    try:
        folder.mkdir(parents=True, exist_ok=True)
        known = _known(record)
    except (OSError, ValueError) as error:
        raise StorageError(f"{record} cannot be used ({error}).", hint="Choose another folder.") from error
    made = (_tunes if arguments.tunes else _heard)(
        [task for name, task in tasks.items() if name not in known], arguments, folder, styles
    )
    for name in tasks:
        if name not in known:
            known[name] = {"task": name, **next(made)}
            with record.open("a", encoding="utf-8") as file:
                file.write(json.dumps(known[name], ensure_ascii=False) + "\n")
        yield known[name]


def _tasks(arguments: argparse.Namespace, styles: Mapping[str, Style]) -> dict[str, tuple[str, int]]:
    """What is to be made: name -> (style words, seed). Raises UsageError."""
    from llm_music_gen.composing.lengths import parse_length
    from llm_music_gen.composing.lexicon import read_words
    from llm_music_gen.errors import UsageError
    from llm_music_gen.studio.request import read_seed

    names = [name.strip() for name in (arguments.styles or ",".join(styles)).split(",") if name.strip()]
    for name in names:
        if (
            not (words := read_words((name,), {style: sheet.aliases for style, sheet in styles.items()})).styles
            and not words.moods
        ):
            raise UsageError(f"{name!r} is no style.", hint='"llm-music-gen styles" lists those that are.')
    arguments.length = arguments.length or ("2m" if arguments.tunes else "30s")
    parse_length(arguments.length)
    count, seed = _count(arguments.tunes or arguments.songs), read_seed(arguments.seed)
    if arguments.tunes:
        # They go round the styles in steps, so that few tunes have many kinds of style.
        step = next(step for step in (7, 5, 3, 1) if math.gcd(step, len(names)) == 1)
        pairs = [(names[number * step % len(names)], seed + number) for number in range(count)]
    else:
        pairs = [(name, seed + number) for name in names for number in range(count)]
    kind = "tune" if arguments.tunes else arguments.soundfont or ""
    return {f"{name}|{number}|{arguments.length}|{kind}|{DEFINITIONS}": (name, number) for name, number in pairs}


def _count(text: str) -> int:
    from llm_music_gen.errors import UsageError

    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_SONGS):
        raise UsageError(f"{text!r} is no number of songs.", hint=f"It goes from 1 to {MAX_SONGS:,}.")
    return int(text)


def _known(record: Path) -> dict[str, dict[str, Any]]:
    """What an earlier run measured; a line that was cut off by an interruption counts as none."""
    known: dict[str, dict[str, Any]] = {}
    if record.is_file():
        for line in record.read_text(encoding="utf-8").splitlines():
            try:
                facts = parse_json(line)
                known[facts["task"]] = facts
            except (ValueError, KeyError, TypeError):
                continue
    return known


def _tunes(
    tasks: Sequence[tuple[str, int]], arguments: argparse.Namespace, folder: Path, styles: Mapping[str, Style]
) -> Iterator[dict[str, Any]]:
    """Write and measure tunes, without sound."""
    from llm_music_gen.paths import studio_paths
    from llm_music_gen.settings import load_settings
    from llm_music_gen.studio.tune_evaluation import composed

    yield from composed(tasks, styles, load_settings(studio_paths().settings_file), length=arguments.length)


def _heard(
    tasks: Sequence[tuple[str, int]], arguments: argparse.Namespace, folder: Path, styles: Mapping[str, Style]
) -> Iterator[dict[str, Any]]:
    """Make and measure songs; they stay out of the user's library."""
    from dataclasses import replace

    from llm_music_gen.paths import studio_paths
    from llm_music_gen.settings import load_settings
    from llm_music_gen.studio.studio import Studio

    paths = studio_paths()
    settings = load_settings(paths.settings_file).model_copy(update={"output_dir": ""})
    with Studio(replace(paths, data_dir=folder), settings) as studio:
        for name, seed in tasks:
            yield _one(studio, name, seed, arguments, styles)


def _one(studio: Studio, style: str, seed: int, arguments: argparse.Namespace, styles: Mapping[str, Style]) -> dict[str, Any]:
    """Make and measure one song."""
    from llm_music_gen.domain.progress import finish
    from llm_music_gen.studio.evaluation import evaluate_song
    from llm_music_gen.studio.request import GenerateRequest

    request = GenerateRequest.from_words(
        style, length=arguments.length, seed=seed, formats="wav", soundfont=arguments.soundfont
    )  # fmt: skip
    outcome = finish(studio.generate(request))[0]
    if outcome.song is None:
        return {"title": "", "styles": [style], "error": outcome.error}
    return evaluate_song(outcome.song, styles)


def _show(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(facts, ensure_ascii=False), flush=True)
        return
    print(f"{facts.get('title') or facts.get('file', '')} ({', '.join(facts.get('styles', ()))})")
    for name, value in facts.items():
        if name not in _LONG:
            print(f"  {name.replace('_', ' ')}: {value}")
