"""Music: improvised by rule and played by FluidSynth's General MIDI instruments; for the test by strings and organs made here."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from training.ears.shaping import RATE_HZ, Audio, Random, between, fade, glide, place, unit

_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), (0, 3, 5, 6, 7, 10), (0, 2, 3, 5, 7, 9, 10))
#: Programs that only the test plays are every seventh.
PROGRAMS = tuple(program for program in range(112) if program % 7 != 3)


@lru_cache(maxsize=1)
def _synthesiser() -> tuple[Any, int]:
    import fluidsynth

    from llm_music_gen.sound.soundfonts import find_soundfont

    synth = fluidsynth.Synth(samplerate=float(RATE_HZ), gain=0.4)
    return synth, synth.sfload(str(find_soundfont(None).path))


def _melody(random: Random, seconds: float) -> list[tuple[float, float, int]]:
    """(start, length, pitch) of a line that wanders through a scale in a rhythm that repeats."""
    scale, root = _SCALES[random.integers(len(_SCALES))], int(random.integers(45, 68))
    beat_s = 60 / between(random, 60, 170)
    rhythm = random.choice([0.5, 0.5, 1, 1, 1.5, 2, 0.25], int(random.integers(3, 8)))
    step, at, out, number = 7, 0.0, [], 0
    while at < seconds:
        length = float(rhythm[number % len(rhythm)] * beat_s)
        step = int(np.clip(step + random.integers(-2, 3), 0, 14))
        if random.random() > 0.12:
            out.append((at, length * random.uniform(0.6, 1.1), root + 12 * (step // len(scale)) + scale[step % len(scale)]))
        at, number = at + length, number + 1
    return out


def band_of_instruments(random: Random, frames: int) -> Audio:
    """One to four instruments, with or without drums."""
    synth, font = _synthesiser()
    seconds = frames / RATE_HZ
    events: list[tuple[float, int, bool, int, int]] = []
    synth.system_reset()
    seed = int(random.integers(1 << 30))
    for channel in range(int(random.integers(1, 5))):
        synth.program_select(channel, font, 0, int(random.choice(PROGRAMS)))
        same = np.random.default_rng(seed)  # the same scale and beat for all
        velocity = int(random.integers(50, 115))
        chords = random.random() < 0.4
        for start, length, pitch in _melody(same if random.random() < 0.5 else random, seconds):
            for above in (0, 4, 7) if chords else (0,):
                note = int(np.clip(pitch + above + 12 * int(random.integers(-1, 2) if channel == 1 else 0), 24, 100))
                events += [(start, channel, True, note, velocity), (start + length, channel, False, note, 0)]
    if random.random() < 0.35:
        synth.program_select(9, font, 128, 0)
        beat_s = 60 / between(random, 70, 160)
        pattern = [(k * 0.5, int(random.choice([36, 38, 42, 42, 46, 36]))) for k in range(8)]
        for bar in np.arange(0, seconds, 4 * beat_s):
            events += [(bar + place_ * beat_s, 9, True, drum, int(random.integers(60, 110))) for place_, drum in pattern]
    out, now = [], 0
    for at, channel, on, note, velocity in sorted(events):
        frame = min(frames, int(at * RATE_HZ))
        if frame > now:
            out.append(synth.get_samples(frame - now)[::2])
            now = frame
        if on:
            synth.noteon(channel, note, velocity)
        else:
            synth.noteoff(channel, note)
    if now < frames:
        out.append(synth.get_samples(frames - now)[::2])
    return unit(np.concatenate(out)[:frames].astype(np.float32))


def bells(random: Random, frames: int) -> Audio:
    """Church bells, chimes: inharmonic partials that ring long."""
    out = np.zeros(frames, dtype=np.float32)
    tuned = [between(random, 180, 1200) for _ in range(int(random.integers(1, 6)))]
    length = RATE_HZ * 4
    at = np.arange(length) / RATE_HZ
    for start in range(int(random.integers(0, RATE_HZ)), frames, int(RATE_HZ * between(random, 0.3, 2.5))):
        hz = tuned[int(random.integers(len(tuned)))]
        partials = zip((0.5, 1, 1.2, 1.5, 2, 2.6, 3), (0.5, 1, 0.8, 0.5, 0.8, 0.3, 0.3), strict=True)
        place(out, start, sum(g * np.sin(2 * np.pi * hz * r * at) * np.exp(-at * (0.5 + 0.6 * r)) for r, g in partials))
    return unit(out)


def plucked(random: Random, frames: int) -> Audio:
    """Strings after Karplus and Strong (test)."""
    from scipy.signal import lfilter

    out = np.zeros(frames, dtype=np.float32)
    for line in range(int(random.integers(1, 3))):
        for start, _, pitch in _melody(random, frames / RATE_HZ):
            period = max(4, int(RATE_HZ / (440 * 2 ** ((pitch - 12 * line - 69) / 12))))
            burst = np.zeros(RATE_HZ, dtype=np.float32)
            burst[:period] = random.uniform(-1, 1, period)
            loop = np.zeros(period + 2)
            loop[0], loop[period], loop[period + 1] = 1, -0.498, -0.498
            place(out, int(start * RATE_HZ), lfilter([1.0], loop, burst))
    return unit(out)


def organ(random: Random, frames: int) -> Audio:
    """Additive chords and a melody (test)."""
    out = np.zeros(frames, dtype=np.float32)
    drawbars = random.uniform(0, 1, 8)
    for start, length, pitch in _melody(random, frames / RATE_HZ):
        count = max(400, int(length * RATE_HZ))
        for above in (0, -12, -5) if random.random() < 0.4 else (0,):
            hz = 440 * 2 ** ((pitch + above - 69) / 12) * (1 + 0.004 * np.sin(np.arange(count) / RATE_HZ * 35))
            wave = sum(g * np.sin((k + 1) * glide(hz)) for k, g in enumerate(drawbars))
            place(out, int(start * RATE_HZ), wave * fade(count, 0.02, 0.06))
    return unit(out)
