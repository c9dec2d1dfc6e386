"""Tools that change nothing: what was measured, what is heard, what was done, how a song is written."""

from __future__ import annotations

import json

from llm_music_gen.assistant.answer import Answer
from llm_music_gen.assistant.desk import Desk
from llm_music_gen.domain.progress import Work
from llm_music_gen.errors import LibraryError, StorageError
from llm_music_gen.proof import Promises, prove
from llm_music_gen.studio.processing_room import measurements_of, versions_of
from llm_music_gen.studio.promises import promises_beside


def show_abc(desk: Desk, from_: str = "last") -> Answer:
    """Show the ABC notation of a song.

    from: Its name, or "last".
    """
    song = desk.song_named(from_)
    file = song.files.get("abc")
    if file is None:
        raise LibraryError(f'"{song.title}" has no notation.', hint="Tracks of noise and beats alone have none.")
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{file} cannot be read ({error.strerror or error}).", hint="Remake the song.") from error
    return Answer(text.strip(), "show_abc", {"title": song.title, "abc": text}, files=(file,), song=song.folder.name)


def proof(desk: Desk, song: str = "last") -> Answer:
    """Measure a finished song and say what is as promised: frequency, tempo, key, loudness, length.

    song: Its name, or "last".
    """
    named = desk.song_named(song)
    if named.audio_file is None:
        raise LibraryError(f'The audio of "{named.title}" is missing.', hint="Remake it first.")
    promises = promises_beside(named.audio_file) or Promises(frames=named.frames)
    found = prove(named.audio_file, promises)
    lines = "\n".join(f"  {check.line()}" for check in found.checks)
    return Answer(
        f"{found.line()}\n{lines}",
        "proof",
        json.loads(found.to_json()),
        files=(named.audio_file,),
        song=named.folder.name,
        failed=not found.passes,
    )


def analyze(desk: Desk, files: list[str] | None = None, metrics: list[str] | None = None) -> Work[Answer]:
    """Measure audio files: loudness, peaks, key, tempo, main tones, beats, spectrum, stereo, noise.

    files: Their names; the current one where none is named.
    metrics: What is wanted: lufs, lra, true_peak, duration, clipping, silence, noise_floor, snr, key, tempo, tonal_peaks,
        binaural_beat, spectrum, stereo; everything where nothing is named.
    """
    found = {}
    for path in desk.audio(files or ()):
        found[str(path)] = yield from measurements_of(path, metrics or ())
    told = [f"{name}: {_facts(facts)}" if len(found) > 1 else _facts(facts) for name, facts in found.items()]
    paths = desk.audio(files or ())
    return Answer("\n".join(told), "analyze", {"files": found}, files=paths, file=paths[-1])


def history(desk: Desk, files: list[str] | None = None) -> Answer:
    """What was done to audio files so far.

    files: Their names; the current one where none is named.
    """
    lines: list[str] = []
    facts = {}
    for path in desk.audio(files or ()):
        versions = versions_of(path, desk.studio.paths)
        facts[str(path)] = [version.as_json() for version in versions]
        lines.append(f"{path.name}:" if versions else f"{path.name}: nothing was done to it yet.")
        for version in versions:
            current = " (current)" if version.current else ""
            lines.append(f"  {version.path.name}{current}: {version.request or '; '.join(map(str, version.calls))}")
    return Answer("\n".join(lines), "history", {"files": facts})


def _facts(facts: dict[str, object]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in facts.items() if value is not None)


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_value(item)}" for key, item in list(value.items())[:12]) + ")"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value[:8]) + ("..." if len(value) > 8 else "") + "]"
    return str(value)
