"""Another pitch for a single voice, its vowels kept: pitch-synchronous overlap-add (Moulines and Charpentier, 1990).

Each period of the voice is cut out under a Hann window of two periods and set down at the new distance. What stands inside a
period, the resonances of throat and mouth, stays as it is. Where nothing is sung the sound passes untouched.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import BLOCK_FRAMES, Audio, Block
from llm_music_gen.processing.dsp.pitch import LOWEST_HZ, PitchTrack

#: How far from where the pitch says it is a period may begin.
_SEARCH = 0.12
#: Shorter stretches are left alone: they have no pitch that could be heard as wrong.
_SHORTEST_S = 0.03
_UNHEARD = 2 ** (0.5 / 1200)
#: Of a period, from its largest sample to the middle of what rings in it: cut out around there the resonances move least.
_AFTER_CLOSURE = 0.1
_SINC_TAPS = 16


def repitched(audio: Audio, track: PitchTrack, factors: NDArray[np.float64]) -> Audio:
    """The voice with its pitch multiplied by `factors`, one for each step of the track; length and loudness stay."""
    if not len(factors) or not np.any(np.abs(np.log(factors[track.voiced])) > np.log(_UNHEARD)):
        return audio

    def walk() -> Iterator[Block]:
        return _Resynthesis(audio, track, factors).blocks()

    return Audio(audio.sample_rate_hz, audio.channels, audio.frames, walk)


class _Resynthesis:
    """One walk. Positions are frames of the stream, whole for samples and broken for marks."""

    def __init__(self, audio: Audio, track: PitchTrack, factors: NDArray[np.float64]) -> None:
        self._audio, self._track, self._factors = audio, track, factors
        self._source = audio.walk()
        self._held = np.zeros((0, audio.channels), dtype=np.float32)
        self._held_from = 0
        self._done = 0
        self._reach = math.ceil(audio.sample_rate_hz / LOWEST_HZ * 2.5) + _SINC_TAPS
        self._grains = np.zeros((0, audio.channels))
        self._weights = np.zeros(0)
        self._inner = np.zeros(0, dtype=bool)

    def blocks(self) -> Iterator[Block]:
        """The whole, in order."""
        for first, last in self._runs():
            yield from self._until(first - self._reach)
            for at in self._sung(first, last):
                if at - self._reach - self._done >= BLOCK_FRAMES:
                    yield from self._until(int(at) - self._reach)
        yield from self._until(self._audio.frames)

    def _runs(self) -> Iterator[tuple[int, int]]:
        """Stretches that are sung and shall have another pitch."""
        hop, voiced = self._track.hop_frames, self._track.voiced
        edges = np.flatnonzero(np.diff(np.concatenate(([0], voiced.view(np.int8), [0]))))
        for first, last in edges.reshape(-1, 2).tolist():
            long_enough = (last - first) * hop > _SHORTEST_S * self._audio.sample_rate_hz
            if long_enough and np.any(np.abs(np.log(self._factors[first:last])) > np.log(_UNHEARD)):
                yield first * hop, min((last - 1) * hop, self._audio.frames)

    def _sung(self, first: int, last: int) -> Iterator[float]:
        """Sets down one period after the other; yields how far it got."""
        marks = self._marks(first, last)
        before = after = next(marks, None)
        if before is None or after is None:
            return
        at = before[0]
        while at < last:
            while after is not None and after[0] < at:
                before, after = after, next(marks, None)
            nearest = before if after is None or at - before[0] <= after[0] - at else after
            self._set_down(nearest, at)
            # The pitch of a period is that of its middle.
            middle = at + 0.5 * self._audio.sample_rate_hz / self._pitch(at)
            step = self._audio.sample_rate_hz / (self._pitch(middle) * self._factor(middle))
            self._mark_inner(at, min(at + step, last))
            at += step
            yield at
            if after is None and at > before[0] + before[1]:
                break

    def _marks(self, first: int, last: int) -> Iterator[tuple[float, float]]:
        """Where the periods of the source lie, and how long they are: each like the one before."""
        rate = self._audio.sample_rate_hz
        period = rate / self._pitch(first)
        start = self._mono(first, first + math.ceil(period))
        at = first + float(np.argmax(np.abs(start))) + _AFTER_CLOSURE * period
        while at < last:
            period = rate / self._pitch(at)
            yield at, period
            half, reach = math.ceil(period / 2), max(2, math.ceil(_SEARCH * period))
            here, there = round(at), round(at + period)
            pattern = self._mono(here - half, here + half)
            around = self._mono(there - half - reach, there + half + reach)
            at += there - here + _best_lag(pattern, around) - reach

    def _set_down(self, mark: tuple[float, float], at: float) -> None:
        """One period of the source, cut out around its mark, added around `at`."""
        source_at, period = mark
        first, last = math.ceil(at - period), math.floor(at + period)
        shift = source_at - at
        whole = math.floor(shift)
        piece = self._sound(first + whole - _SINC_TAPS // 2 + 1, last + whole + _SINC_TAPS // 2 + 1)
        taps = _between(shift - whole)
        grain = np.array([np.correlate(channel, taps, "valid") for channel in piece.T]).T
        shape = 0.5 + 0.5 * np.cos(np.pi * (np.arange(first, last + 1) - at) / period)
        low = first - self._done
        self._room(last + 1 - self._done)
        cut = max(0, -low)
        self._grains[low + cut : low + len(shape)] += (grain * shape[:, None])[cut:]
        self._weights[low + cut : low + len(shape)] += shape[cut:]

    def _mark_inner(self, first: float, last: float) -> None:
        low, high = math.ceil(first) - self._done, math.ceil(last) - self._done
        self._room(high)
        self._inner[max(0, low) : max(0, high)] = True

    def _room(self, frames: int) -> None:
        missing = frames - len(self._weights)
        if missing > 0:
            missing = max(missing, BLOCK_FRAMES)
            self._grains = np.concatenate((self._grains, np.zeros((missing, self._audio.channels))))
            self._weights = np.concatenate((self._weights, np.zeros(missing)))
            self._inner = np.concatenate((self._inner, np.zeros(missing, dtype=bool)))

    def _until(self, frame: int) -> Iterator[Block]:
        """What is finished: new periods where something is sung, the source elsewhere, faded where they meet."""
        while self._done < min(frame, self._audio.frames):
            count = min(BLOCK_FRAMES, min(frame, self._audio.frames) - self._done)
            source = self._sound(self._done, self._done + count)
            self._room(count)
            grains, weights, inner = self._grains[:count], self._weights[:count], self._inner[:count]
            if weights.any():
                filled = np.where(inner, 0.0, np.maximum(0.0, 1.0 - weights))
                total = np.where(inner, np.maximum(weights, 0.05), np.maximum(weights, 1.0))
                yield ((grains + source * filled[:, None]) / total[:, None]).astype(np.float32)
            else:
                yield source.copy()
            self._grains, self._weights, self._inner = self._grains[count:], self._weights[count:], self._inner[count:]
            self._done += count
            drop = max(0, self._done - 2 * self._reach - self._held_from)
            self._held, self._held_from = self._held[drop:], self._held_from + drop

    def _sound(self, first: int, last: int) -> Block:
        """Samples of the source; silence outside of it."""
        parts, have = [self._held], self._held_from + len(self._held)
        while have < min(last, self._audio.frames) and (block := next(self._source, None)) is not None:
            parts.append(block)
            have += len(block)
        self._held = np.concatenate(parts) if len(parts) > 1 else self._held
        inside = self._held[max(0, first - self._held_from) : max(0, last - self._held_from)]
        if len(inside) == last - first:
            return inside
        out = np.zeros((last - first, self._audio.channels), dtype=np.float32)
        at = max(0, self._held_from - first)
        out[at : at + len(inside)] = inside
        return out

    def _mono(self, first: int, last: int) -> NDArray[np.float64]:
        return np.asarray(self._sound(first, last).mean(axis=1, dtype=np.float64))

    def _pitch(self, at: float) -> float:
        found = self._track.at(at)
        return found if found > 0 else self._last_pitch(at)

    def _last_pitch(self, at: float) -> float:
        step = min(int(at / self._track.hop_frames), len(self._track.frequencies_hz) - 1)
        known = np.flatnonzero(self._track.voiced[: step + 1])
        return float(self._track.frequencies_hz[known[-1]]) if len(known) else 200.0

    def _factor(self, at: float) -> float:
        return float(np.interp(at / self._track.hop_frames, (low := int(at / self._track.hop_frames), low + 1), self._pair(low)))

    def _pair(self, low: int) -> tuple[float, float]:
        last = len(self._factors) - 1
        return float(self._factors[min(low, last)]), float(self._factors[min(low + 1, last)])


def _best_lag(pattern: NDArray[np.float64], around: NDArray[np.float64]) -> float:
    """Where the pattern lies best, between samples by parabola."""
    scores = np.correlate(around, pattern, "valid")
    energy = np.convolve(around**2, np.ones(len(pattern)), "valid")
    scores = scores / np.sqrt(energy + 1e-12)
    top = int(np.argmax(scores))
    if not 0 < top < len(scores) - 1:
        return (len(scores) - 1) / 2
    left, middle, right = scores[top - 1 : top + 2]
    bend = left - 2 * middle + right
    return top + (0.5 * (left - right) / bend if bend < 0 else 0.0)


def _between(part: float) -> NDArray[np.float64]:
    """Reads `part` of a sample further: a windowed sinc."""
    at = np.arange(_SINC_TAPS) - (_SINC_TAPS // 2 - 1) - part
    taps = np.sinc(at) * (0.5 + 0.5 * np.cos(np.pi * np.clip(at / (_SINC_TAPS / 2), -1, 1)))
    return np.asarray(taps / taps.sum())
