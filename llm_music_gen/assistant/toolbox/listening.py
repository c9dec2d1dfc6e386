"""Tools that change nothing: what was measured, what is heard, what was done, how a song is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llm_music_gen.assistant.answer import Answer
from llm_music_gen.assistant.desk import Desk
from llm_music_gen.domain.progress import Work
from llm_music_gen.errors import LibraryError, StorageError
from llm_music_gen.proof import Promises, prove
from llm_music_gen.studio import describing_room as room
from llm_music_gen.studio.describing_report import lines
from llm_music_gen.studio.processing_room import versions_of
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


def describe(desk: Desk, files: list[str] | None = None, aspects: list[str] | None = None) -> Work[Answer]:
    """Say in words what a sound is like: scene, events, loudness, how it may feel.

    files: Their names; the current one where none is named.
    aspects: Some of scene, events, loudness, affect, iso12913, caption; all where none is named.
    """
    studio, paths = desk.studio, desk.audio(files or ())
    how = room.describing_with(studio.paths, studio.settings, studio.library, aspects or ())
    results = yield from room.describe_files(paths, how)
    sentences = []
    for result in results:
        if isinstance(result, room.Undescribed):
            sentences.append(f"{result.path.name}: {result.reason}")
            continue
        asked = "\n".join(f"  {line}" for line in lines(result, how.aspects)) if how.aspects else ""
        said = result.caption if not how.aspects or "caption" in how.aspects else result.path.name
        sentences.append("\n".join(filter(None, (said, asked))))
    facts = {"files": [result.as_json(how.aspects) for result in results if isinstance(result, room.Description)]}
    return Answer("\n".join(sentences), "describe", facts, files=paths, file=paths[-1], failed=not facts["files"])


def analyze(desk: Desk, files: list[str] | None = None, metrics: list[str] | None = None) -> Work[Answer]:
    """Measure audio files: loudness, peaks, key, tempo, main tones, beats, spectrum, stereo, noise.

    files: Their names; the current one where none is named.
    metrics: What is wanted: lufs, lra, true_peak, duration, clipping, silence, noise_floor, snr, key, tempo, tonal_peaks,
        binaural_beat, spectrum, stereo; everything where nothing is named.
    """
    wanted = room.checked_metrics(metrics or ())
    paths = desk.audio(files or ())
    found = {}
    for path in paths:
        found[str(path)] = yield from room.analyze_file(path, wanted)
    told = [f"{Path(name).name}: {_facts(facts)}" for name, facts in found.items()]
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


#: How numbers are said: metric -> words around the number.
_SAID = {
    "lufs": "loudness {:.1f} LUFS", "lra": "loudness range {:.1f} LU", "true_peak": "true peak {:.1f} dBTP",
    "duration": "length {:.2f} s", "clipping": "{:.0f} clipped samples", "noise_floor": "noise floor {:.1f} dBFS",
    "snr": "signal over noise {:.1f} dB", "tempo": "tempo {:g} BPM", "sample_rate": "{:g} Hz sample rate",
    "channels": "{:g} channels", "crest": "crest factor {:.1f} dB", "rms": "RMS {:.1f} dBFS",
}  # fmt: skip
_MOST_TONES = 5


def _facts(facts: Mapping[str, Any]) -> str:
    """What was measured, for people."""
    out = []
    for name, value in facts.items():
        if name in _SAID and isinstance(value, int | float):
            out.append(_SAID[name].format(value))
        elif name == "key" and value:
            out.append(f"key {value}")
        elif name == "tonal_peaks" and value:
            out.append("tones at " + ", ".join(f"{tone['hz']:.1f} Hz" for tone in value[:_MOST_TONES]))
        elif name == "binaural_beat" and value:
            out.append(f"a beat of {value['hz']:.2f} Hz between the channels")
        elif name == "stereo" and value:
            out.append(f"correlation of the channels {value['correlation']:.2f}")
        elif name == "silence" and value:
            out.append(f"longest silence {value['longest_s']:.2f} s")
        elif name == "unsure" and value:
            out.append(f"not sure of {' and '.join(value)}")
        elif value is None and name in ("key", "tempo", "tonal_peaks", "binaural_beat"):
            out.append(f"no {name.replace('_', ' ')} found")
    return ", ".join(out) + "."
