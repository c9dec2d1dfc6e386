"""Whether the meter, ffmpeg's meter and AutoGain agree on a test signal: for the tests and for benchmarks/ebu_signals.py."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from llm_music_gen.processing.auto.levels import auto_gain
from llm_music_gen.processing.measure import metered
from llm_music_gen.sound.loudness import Loudness, LoudnessMeter, momentary_lufs
from tests.unit.processing.ebu_signals import RATE_HZ, SEGMENTS, EbuSignal, FfmpegReading, Samples, Wanted, read_by_ffmpeg
from tests.unit.processing.sounds import audio_of, samples_of

TOLERANCE = 0.1
#: ffmpeg tells true peaks to a twentieth of a decibel at worst.
_PEAK_ROUNDING_DB = 0.05
_STEPS_PER_S = 10
#: Every reading is 100 ms after the one before, in ffmpeg too, so a tone of 400 ms that begins between two is caught in part.
_MISSED_BETWEEN_READINGS_LU = 10 * math.log10(400 / 350)
#: One of its windows lies exactly on the relative gate: which side it falls to is a matter of the last bit.
ON_THE_GATE = "3341-13-19"
#: Tones that come once and last no longer than the range's window leave a dozen readings, between which each meter draws its
#: percentiles in its own way; the documents ask for no range of less than a minute.
_WITHOUT_RANGE = ("3341-10-", "3341-13-", "3341-14")


@dataclass(slots=True)
class Gained:
    """What AutoGain made of a signal."""

    lufs: float
    tp: float
    ours: Loudness
    ffmpeg: FfmpegReading
    fits: bool
    """The target is within reach without cutting into the signal."""


@dataclass(slots=True)
class Checked:
    """Readings of a signal, and what is wrong with them."""

    ours: Loudness
    ffmpeg: FfmpegReading
    gained: list[Gained] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def check(signal: EbuSignal, targets: Sequence[tuple[float, float]], folder: Path) -> Checked:
    """Both meters on the signal, and on what AutoGain makes of it for each target (LUFS, dBTP); files go to `folder`."""
    samples = signal.make()
    ours = metered(audio_of(samples, RATE_HZ, RATE_HZ))
    checked = Checked(ours, _by_ffmpeg(samples, folder))
    checked.faults += _disagreements(signal, ours, checked.ffmpeg)
    largest = float(np.nanmax(checked.ffmpeg.momentary_lufs))
    if abs(ours.momentary_max_lufs - largest) > TOLERANCE:
        checked.faults.append(f"largest momentary loudness {ours.momentary_max_lufs:.3f}, ffmpeg {largest:.3f}")
    checked.faults += unlike_the_document(signal, samples, ours)
    for lufs, tp in targets:
        out = samples_of(auto_gain(audio_of(samples, RATE_HZ, RATE_HZ), lufs, tp))
        fits = ours.true_peak_dbtp + lufs - ours.integrated_lufs <= tp
        gained = Gained(lufs, tp, metered(audio_of(out, RATE_HZ, RATE_HZ)), _by_ffmpeg(out, folder), fits)
        checked.gained.append(gained)
        checked.faults += _missed(signal, gained)
    return checked


def _by_ffmpeg(samples: Samples, folder: Path) -> FfmpegReading:
    path = folder / "signal.wav"
    soundfile.write(path, samples, RATE_HZ, subtype="FLOAT", format="WAVEX" if samples.shape[1] > 2 else "WAV")
    return read_by_ffmpeg(path)


def _disagreements(
    signal: EbuSignal, ours: Loudness, theirs: FfmpegReading, where: str = "", *, ranges: bool = True
) -> list[str]:
    pairs = [("true peak", ours.true_peak_dbtp, theirs.true_peak_dbtp)]
    if signal.name != ON_THE_GATE:
        pairs.append(("loudness", ours.integrated_lufs, theirs.integrated_lufs))
    if ranges and not signal.name.startswith(_WITHOUT_RANGE):
        pairs.append(("range", ours.range_lu, theirs.range_lu))
    return [f"{what} {one:.3f}, ffmpeg {other:.3f}{where}" for what, one, other in pairs if not abs(one - other) <= TOLERANCE]


def _missed(signal: EbuSignal, gained: Gained) -> list[str]:
    where = f" at {gained.lufs:g} LUFS, {gained.tp:g} dBTP"
    faults = _disagreements(signal, gained.ours, gained.ffmpeg, where, ranges=gained.fits)
    if gained.ours.true_peak_dbtp > gained.tp or gained.ffmpeg.true_peak_dbtp > gained.tp + _PEAK_ROUNDING_DB:
        faults.append(f"peaks at {gained.ours.true_peak_dbtp:.3f}, ffmpeg {gained.ffmpeg.true_peak_dbtp:.3f}{where}")
    readings = (gained.ours.integrated_lufs, *(() if signal.name == ON_THE_GATE else (gained.ffmpeg.integrated_lufs,)))
    if gained.fits and any(abs(reading - gained.lufs) > TOLERANCE for reading in readings):
        faults.append(f"came to {gained.ours.integrated_lufs:.3f} LUFS, ffmpeg {gained.ffmpeg.integrated_lufs:.3f}{where}")
    return faults


def unlike_the_document(signal: EbuSignal, samples: Samples, ours: Loudness) -> list[str]:
    """Where the meter shows something else than the document wants."""
    faults = [
        f"{what} {found:.3f}, wanted {wanted.value:g}"
        for what, wanted, found in (
            ("loudness", signal.integrated_lufs, ours.integrated_lufs),
            ("range", signal.range_lu, ours.range_lu),
            ("true peak", signal.true_peak_dbtp, ours.true_peak_dbtp),
        )
        if wanted is not None and not wanted.holds(found)
    ]
    meter = LoudnessMeter(RATE_HZ, samples.shape[1], true_peak=False)
    meter.push(samples)
    if signal.short_term_lufs is not None:
        means = np.convolve(meter.steps(), np.ones(30), mode="valid") / 30
        faults += _not_shown(-0.691 + 10 * np.log10(np.maximum(means, 1e-20)), signal, signal.short_term_lufs, 3.0)
    if signal.momentary_lufs is not None:
        wanted = signal.momentary_lufs
        if not signal.constant:
            wanted = Wanted(wanted.value, wanted.below + _MISSED_BETWEEN_READINGS_LU, wanted.above)
        faults += _not_shown(momentary_lufs(meter.steps()), signal, wanted, 0.4)
    return faults


def _not_shown(readings: NDArray[np.float64], signal: EbuSignal, wanted: Wanted, window_s: float) -> list[str]:
    if signal.successive_s is None:
        shown = readings if signal.constant else readings.max(keepdims=True)
        return [f"over {window_s:g} s {reading:.3f}, wanted {wanted.value:g}" for reading in shown if not wanted.holds(reading)]
    ends_s = window_s + np.arange(len(readings)) / _STEPS_PER_S
    faults = []
    for number in range(SEGMENTS):
        inside = (ends_s > number * signal.successive_s) & (ends_s <= (number + 1) * signal.successive_s + 1e-9)
        largest, here = float(readings[inside].max()), Wanted(wanted.value + number, wanted.below, wanted.above)
        if not here.holds(largest):
            faults.append(f"over {window_s:g} s {largest:.3f}, wanted {here.value:g}")
    return faults
