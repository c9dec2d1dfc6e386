"""`describe` and `analyze` as tools for the assistant, plans and MCP. Both only read."""

from __future__ import annotations

from typing import Annotated, Any

from llm_music_gen.describing.hearing import DEFAULT_CALIBRATION_DB, HIGHEST_CALIBRATION_DB, LOWEST_CALIBRATION_DB
from llm_music_gen.domain.progress import Work
from llm_music_gen.studio import describing_room as room
from llm_music_gen.studio.processing_room import files_of
from llm_music_gen.tools.plan import Registry
from llm_music_gen.tools.spec import Range, tool

_Calibration = Annotated[float, Range(LOWEST_CALIBRATION_DB, HIGHEST_CALIBRATION_DB, "dB SPL")]


def describe(
    files: tuple[str, ...] = (), aspects: tuple[str, ...] = (), calibration: _Calibration = DEFAULT_CALIBRATION_DB
) -> Work[list[room.Description | room.Undescribed]]:
    """Say in words what a sound is like: scene, events, loudness, how it may feel.

    files: Which files; the current one if none is named.
    aspects: Some of scene, events, loudness, affect, iso12913, caption; all if none is named.
    calibration: Sound pressure level of a full-scale sine.
    """
    how = room.Describing(calibration, room.checked_aspects(aspects))
    return room.describe_files(files_of(files), how)


def analyze(files: tuple[str, ...] = (), metrics: tuple[str, ...] = ()) -> Work[dict[str, dict[str, Any]]]:
    """Measure a sound: loudness, peaks, length, faults, key, tempo, tones, beat between the ears, spectrum, stereo.

    files: Which files; the current one if none is named.
    metrics: Some of lufs, lra, true_peak, duration, clipping, silence, noise_floor, snr, key, tempo, tonal_peaks,
        binaural_beat, spectrum, stereo; all if none is named.
    """
    wanted = room.checked_metrics(metrics)
    found = {}
    for path in files_of(files):
        found[str(path)] = yield from room.analyze_file(path, wanted)
    return found


DESCRIBING = Registry((tool(describe, reads_only=True), tool(analyze, reads_only=True)))
