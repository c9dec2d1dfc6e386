"""Melodies as people and instruments perform them, made from physics: what the ear for melodies is tested with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.melody.notes import Performance, performed
from llm_music_gen.describing.melody.pitch import following
from llm_music_gen.domain.progress import finish

RATE_HZ = 44_100
LEAD_S = 0.4

Samples = NDArray[np.float64]
#: (MIDI pitch, length in beats)
Tune = Sequence[tuple[int, float]]

TWINKLE: Tune = tuple(zip([60, 60, 67, 67, 69, 69, 67, 65, 65, 64, 64, 62, 62, 60], [1, 1, 1, 1, 1, 1, 2] * 2, strict=True))
WALTZ: Tune = (
    (67, 1),
    (71, 1),
    (74, 1),
    (74, 2),
    (74, 1),
    (71, 2),
    (74, 1),
    (72, 3),
    (69, 1),
    (71, 1),
    (69, 1),
    (66, 1),
    (67, 3),
)
DOTTED: Tune = (
    (62, 1), (64, 0.5), (65, 0.5), (67, 1), (69, 1), (70, 0.5), (69, 0.5), (67, 0.5), (65, 0.5), (64, 2),
    (65, 1.5), (64, 0.5), (62, 1), (61, 1), (62, 4),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Played:
    """A note as it is performed."""

    start_s: float
    length_s: float
    pitch: int


def played(tune: Tune, bpm: float, *, jitter_s: float = 0.0, seed: int = 0, transposed: int = 0) -> list[Played]:
    """The tune at a tempo, each note up to `jitter_s` early or late."""
    rng = np.random.default_rng(seed)
    beats = [0.0, *accumulate(length for _, length in tune)]
    at = [LEAD_S + beat * 60 / bpm + rng.uniform(-jitter_s, jitter_s) for beat in beats]
    return [Played(a, b - a, pitch + transposed) for a, b, (pitch, _) in zip(at, at[1:], tune, strict=False)]


def sung(notes: Sequence[Played], *, cents: float = 0.0, vibrato_cents: float = 40.0) -> Samples:
    """A voice: breath through formants, a scoop into each note, vibrato, short gaps for consonants."""
    pitch, level = _lines(notes, gap_s=0.03)
    for note in notes:
        first, last = round(note.start_s * RATE_HZ), round((note.start_s + note.length_s - 0.03) * RATE_HZ)
        t = np.arange(last - first) / RATE_HZ
        pitch[first:last] += vibrato_cents / 100 * np.sin(2 * np.pi * 5.6 * t) * np.clip(t / 0.2, 0, 1)
        pitch[first:last] -= 0.6 * np.clip(1 - t / 0.04, 0, 1)
    frequency = 440 * 2 ** ((pitch + cents / 100 - 69) / 12)
    phase = 2 * np.pi * np.cumsum(frequency) / RATE_HZ
    sound = np.zeros(len(pitch))
    for partial in range(1, 13):
        formants = sum(
            gain / np.hypot(1, (frequency * partial - hz) / width)
            for hz, width, gain in ((700, 90, 1.0), (1200, 110, 0.5), (2600, 160, 0.25))
        )
        sound += formants / partial**0.7 * np.sin(partial * phase)
    return _loud(sound * level)


def whistled(notes: Sequence[Played], *, cents: float = 0.0, sinking_cents: float = 0.0) -> Samples:
    """One partial, and breath; `sinking_cents` lower at the end than at the beginning."""
    pitch, level = _lines(notes, gap_s=0.03)
    pitch -= np.linspace(0.0, sinking_cents / 100, len(pitch))
    tone = np.sin(2 * np.pi * np.cumsum(440 * 2 ** ((pitch + cents / 100 - 69) / 12)) / RATE_HZ)
    return _loud((tone + 0.02 * np.random.default_rng(0).normal(size=len(tone))) * level)


def plucked(notes: Sequence[Played], *, cents: float = 0.0, decay_s: float = 0.35, stiffness: float = 0.0) -> Samples:
    """A string that dies away, high partials first; a stiff one, as in a piano, has its partials too high."""
    sound = np.zeros(_frames(notes))
    rng = np.random.default_rng(0)
    for note in notes:
        first = round(note.start_s * RATE_HZ)
        t = np.arange(min(len(sound) - first, round((note.length_s + 0.12) * RATE_HZ))) / RATE_HZ
        damped = rng.uniform(0.6, 1) * np.minimum(1, t / 0.004) * np.exp(-np.clip(t - note.length_s, 0, None) / 0.03)
        for partial in range(1, 13):
            hz = 440 * 2 ** ((note.pitch + cents / 100 - 69) / 12) * partial * np.sqrt(1 + stiffness * partial**2)
            fading = np.exp(-t / decay_s * (1 + 0.25 * partial))
            sound[first : first + len(t)] += damped * fading * np.sin(2 * np.pi * hz * t + partial) / partial
    return _loud(sound)


def piano(notes: Sequence[Played], *, cents: float = 0.0) -> Samples:
    """Long decays of stiff strings."""
    return plucked(notes, cents=cents, decay_s=1.0, stiffness=3e-4)


PERFORMERS: dict[str, tuple[Callable[..., Samples], int]] = {
    "voice": (sung, 0), "low voice": (sung, -12), "whistle": (whistled, 24), "string": (plucked, 0), "piano": (piano, 0),
}  # fmt: skip


def with_noise(sound: Samples, snr_db: float, seed: int = 1) -> Samples:
    """White noise so far under what sounds."""
    heard = sound[np.abs(sound) > 1e-3]
    noise = np.random.default_rng(seed).normal(size=len(sound))
    return np.asarray(sound + noise * np.sqrt(np.mean(heard**2) * 10 ** (-snr_db / 10)))


def heard(sound: NDArray[np.float64], rate_hz: int = RATE_HZ) -> Performance:
    """What the ear makes of mono or (frames, channels) sound, given in uneven blocks."""
    samples = (sound if sound.ndim == 2 else sound[:, None]).astype(np.float32)
    blocks = np.array_split(samples, max(1, len(samples) // 50_000))
    return performed(finish(following(blocks, sample_rate_hz=rate_hz, frames=len(samples))))


def f1(notes: Sequence[Played], performance: Performance, within_s: float = 0.05) -> float:
    """F-measure of notes: right pitch, and begun within a time."""
    left = list(performance.notes)
    hits = 0
    for note in notes:
        fits = [one for one in left if one.pitch == note.pitch and abs(one.start_s - note.start_s) <= within_s]
        if fits:
            left.remove(min(fits, key=lambda one: abs(one.start_s - note.start_s)))
            hits += 1
    return 2 * hits / (len(notes) + len(performance.notes))


def _frames(notes: Sequence[Played]) -> int:
    return round((notes[-1].start_s + notes[-1].length_s + 0.4) * RATE_HZ)


def _lines(notes: Sequence[Played], gap_s: float) -> tuple[Samples, Samples]:
    """Pitch and level of a held sound, frame by frame."""
    pitch, level = np.full(_frames(notes), float(notes[0].pitch)), np.zeros(_frames(notes))
    for note in notes:
        first, last = round(note.start_s * RATE_HZ), round((note.start_s + note.length_s - gap_s) * RATE_HZ)
        t = np.arange(last - first) / RATE_HZ
        pitch[first:last] = note.pitch
        level[first:last] = np.minimum(1, t / 0.03) * np.minimum(1, t[::-1] / 0.05)
    return pitch, level


def _loud(sound: Samples) -> Samples:
    return np.asarray(0.3 * sound / np.abs(sound).max())
