"""Mains hum: found by what sounds at multiples of 50 or 60 Hz even in the quietest moments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio, Block
from llm_music_gen.processing.dsp.hum_track import STRAY_HZ, followed, subtracted
from llm_music_gen.processing.dsp.spectrum import exact_blocks, hann

MAINS_HZ = (50.0, 60.0)
_HIGHEST_HZ = 3_000.0
#: Long looks tell the frequency; short ones tell what goes on sounding when the music or the voice pauses.
_LOOK_S, _SHORT_LOOK_S = 4.0, 1.0
_MOST_LOOKS = 240
#: A harmonic stands this far over its neighbourhood when everything else is quiet.
_PROMINENCE_DB = 8.0
_SURE_DB = 18.0
#: A single line has to stand out more and be nearer to what power stations hold.
_ALONE_DB, _USUAL_STRAY_HZ = 26.0, 0.25
_MANY_LINES = 5
#: And is then hardly weaker than in the long looks, as nothing but hum is.
_FADING_DB = 12.0


@dataclass(frozen=True, slots=True)
class Hum:
    """Mains hum in a recording."""

    frequency_hz: float
    harmonics: tuple[int, ...]
    """Those that stand out, 1 is the fundamental."""
    levels_dbfs: tuple[float, ...]
    """Of each of them when all else is quiet, 0 dB being a full-scale sine."""

    @property
    def level_dbfs(self) -> float:
        """Of all of them together."""
        return float(10 * np.log10(np.sum(10 ** (np.array(self.levels_dbfs) / 10))))


def find_hum(audio: Audio, hz: float | None = None) -> Hum | None:
    """The hum of a recording, or None. `hz` names the mains frequency when it is known."""
    rate = audio.sample_rate_hz
    window = min(round(_LOOK_S * rate), audio.frames)
    if window < rate // 4 or rate < 4 * MAINS_HZ[0]:
        return None
    fine = _quiet_spectrum(audio, window, 25)
    coarse = _quiet_spectrum(audio, min(window, round(_SHORT_LOOK_S * rate)), 10)
    found = [hum for mains in ((hz,) if hz else MAINS_HZ) if (hum := _hum_near(mains, fine, coarse, sure=hz is not None))]
    return max(found, key=lambda hum: (len(hum.harmonics), hum.level_dbfs), default=None)


def remove_hum(audio: Audio, hz: float | None = None) -> Audio:
    """The sound without its hum and that hum's harmonics; the stream itself where there is none.

    hz: mains frequency; None finds 50 or 60 Hz by itself.
    """
    hum = find_hum(audio, hz)
    return audio if hum is None else without_hum(audio, hum)


def without_hum(audio: Audio, hum: Hum) -> Audio:
    """The sound without a hum that was found before. The stream is walked once to follow the hum."""
    track = followed(audio, hum.frequency_hz, hum.harmonics, hum.levels_dbfs)

    def walk() -> Iterator[Block]:
        return subtracted(audio, track)

    return Audio(audio.sample_rate_hz, audio.channels, audio.frames, walk)


@dataclass(frozen=True, eq=False, slots=True)
class _Quiet:
    """Power at a low percentile over time, a full-scale sine giving 1, shape (bins,)."""

    power: NDArray[np.float64]
    width_hz: float
    lobe_hz: float
    """Half the width of a steady tone's main lobe."""

    def peak_near(self, hz: float, reach_hz: float) -> tuple[float, float]:
        """Frequency and power of the largest bin there, by parabola over the logarithm."""
        reach, centre = max(1, round(reach_hz / self.width_hz)), round(hz / self.width_hz)
        first = max(1, centre - reach)
        near = self.power[first : centre + reach + 1]
        top = first + int(np.argmax(near)) if len(near) else 0
        if not 0 < top < len(self.power) - 1:
            return hz, 0.0
        left, middle, right = np.log(np.maximum(self.power[top - 1 : top + 2], 1e-30))
        bend = left - 2 * middle + right
        offset = float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else 0.0
        return (top + offset) * self.width_hz, float(np.exp(middle - 0.25 * (left - right) * offset))

    def one_of_many(self, hz: float, power: float) -> bool:
        """Whether lines as strong stand all around, as they do in the spectrum of a beat that repeats exactly."""
        inner, outer, centre = (round(width / self.width_hz) for width in (2 * self.lobe_hz, 15.0, hz))
        count = 0
        for side in (self.power[max(1, centre - outer) : max(1, centre - inner)], self.power[centre + inner : centre + outer]):
            if len(side) > 2:
                peaks = (side[1:-1] > side[:-2]) & (side[1:-1] >= side[2:]) & (side[1:-1] > 0.25 * power)
                count += int(peaks.sum())
        return count >= _MANY_LINES

    def floor_near(self, hz: float) -> float:
        """Median power on both sides, from outside the lobe to 15 Hz away."""
        inner, outer = round(2 * self.lobe_hz / self.width_hz), round((15.0 + self.lobe_hz) / self.width_hz)
        centre = round(hz / self.width_hz)
        below, above = self.power[max(1, centre - outer) : max(1, centre - inner)], self.power[centre + inner : centre + outer]
        sides = np.concatenate((below, above))
        return max(float(np.median(sides)), 1e-20) if len(sides) else 1.0


def _quiet_spectrum(audio: Audio, window: int, percentile: float) -> _Quiet:
    from scipy.fft import next_fast_len, rfft

    rate = audio.sample_rate_hz
    size = next_fast_len(2 * window, real=True)
    shape = hann(window)
    top = int(min(_HIGHEST_HZ + 50.0, rate / 2) * size / rate) + 1
    looks: list[NDArray[np.float32]] = []
    stride = 1
    before: Block | None = None
    number = 0
    for half in exact_blocks(audio, max(1, window // 2)):
        if before is not None and len(half) == len(before):
            if number % stride == 0:
                both = np.concatenate((before, half))
                look = np.zeros(top)
                # One channel at a time, so that 32 of them need no more memory.
                for channel in both.T:
                    look += np.abs(rfft(channel * shape[: len(channel)], size)[:top]) ** 2
                looks.append((look / audio.channels).astype(np.float32))
            number += 1
        before = half
        if len(looks) >= _MOST_LOOKS:
            looks, stride = looks[::2], stride * 2
    sounding = [look for look in looks if look.sum() > 1e-9]
    if not sounding:
        return _Quiet(np.zeros(top), rate / size, 2 * rate / window)
    power = np.percentile(np.array(sounding), percentile, axis=0).astype(np.float64) / (window / 4) ** 2
    return _Quiet(power, rate / size, 2 * rate / window)


def _hum_near(mains_hz: float, fine: _Quiet, coarse: _Quiet, *, sure: bool) -> Hum | None:
    highest = int(min(_HIGHEST_HZ, (len(fine.power) - 2) * fine.width_hz - 20.0) / (mains_hz + STRAY_HZ))
    if highest < 1 or not fine.power.any():
        return None
    frequency_hz = _refined(_best_candidate(mains_hz, fine, highest), fine, highest)
    found: dict[int, tuple[float, float]] = {}
    hidden: dict[int, tuple[float, float]] = {}
    for harmonic in range(1, highest + 1):
        hz = harmonic * frequency_hz
        where, power = coarse.peak_near(hz, 1.5)
        over_db = 10 * np.log10(max(power, 1e-20) / coarse.floor_near(hz))
        long_where, long_power = fine.peak_near(hz, 0.5)
        lasting = power > max(1e-12, long_power * 10 ** (-_FADING_DB / 10))
        # Mains that stray move a high harmonic further.
        stands = over_db > _PROMINENCE_DB and abs(where - hz) < min(1.0, 0.2 + 0.07 * harmonic)
        # Beside a louder tone only long looks tell two tones apart.
        long_over_db = 10 * np.log10(max(long_power, 1e-20) / fine.floor_near(hz))
        beside = long_over_db > _SURE_DB and abs(long_where - hz) < 0.1
        if lasting and (stands or beside):
            found[harmonic] = (power, over_db) if stands else (min(power, long_power), long_over_db)
        elif over_db > _SURE_DB:
            hidden[harmonic] = (power, over_db)
    # A voice that comes near one harmonic again and again hides it in part; its neighbours say that it is there.
    found |= {harmonic: value for harmonic, value in hidden.items() if {harmonic - 1, harmonic + 1} <= found.keys()}
    kept = sorted(found)
    low = [
        over
        for harmonic, (_, over) in found.items()
        if harmonic <= 2 and not fine.one_of_many(harmonic * frequency_hz, fine.peak_near(harmonic * frequency_hz, 0.5)[1])
    ]
    lowest = max(low, default=0.0)
    several = sum(harmonic <= 8 for harmonic in kept) >= 3
    clear = lowest > _SURE_DB and (len(kept) > 1 or lowest > _ALONE_DB) and abs(frequency_hz - mains_hz) < _USUAL_STRAY_HZ
    if not lowest or not (sure or several or clear):
        return None
    return Hum(frequency_hz, tuple(kept), tuple(float(10 * np.log10(found[harmonic][0])) for harmonic in kept))


def _best_candidate(mains_hz: float, fine: _Quiet, highest: int) -> float:
    """The frequency near the mains whose multiples stand out most."""
    candidates = np.arange(mains_hz - STRAY_HZ, mains_hz + STRAY_HZ + 1e-9, 0.02)
    harmonics = np.arange(1, highest + 1)
    floors = np.array([fine.floor_near(mains_hz * harmonic) for harmonic in harmonics])
    at = np.clip(np.round(np.outer(candidates, harmonics) / fine.width_hz).astype(int), 0, len(fine.power) - 1)
    standing_db = np.maximum(10 * np.log10(np.maximum(fine.power[at], 1e-20) / floors), 0.0)
    # Each harmonic has a voice, a strong one hardly more than a weak one; strength decides between neighbours.
    return float(candidates[int(np.argmax((np.minimum(standing_db, 30.0) + 0.1 * standing_db).sum(axis=1)))])


def _refined(frequency_hz: float, fine: _Quiet, highest: int) -> float:
    """The same frequency from one harmonic after the other: low ones are found roughly and safely, high ones exactly."""
    total, weights = 0.0, 0.0
    for harmonic in range(1, highest + 1):
        hz, power = fine.peak_near(harmonic * frequency_hz, 0.5)
        if power < 10 ** (_PROMINENCE_DB / 10) * fine.floor_near(hz) or abs(hz - harmonic * frequency_hz) > min(
            0.4, 0.1 + 0.03 * harmonic
        ):
            continue
        weight = power * harmonic**2
        total, weights = total + weight * hz / harmonic, weights + weight
        frequency_hz = total / weights
    return frequency_hz
