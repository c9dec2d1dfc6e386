"""Pitch classes over time, and what they say: the key (Krumhansl and Kessler 1982), and whether anything returns literally."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.key import MODES, Key
from llm_music_gen.proof.checks import Check, Promises, Verdict

_WINDOW = 16_384
_LOWEST_HZ, _HIGHEST_HZ = 45.0, 1_000.0
#: Low lines count more (as the root of the frequency): high ones are mostly overtones, which say a third or a fifth instead.
_EVEN_HZ = 200.0
#: How well each step fits a key, found with listeners (Krumhansl and Kessler, Psychological Review 89, 1982).
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
#: Keys whose profiles fit as well as this are told apart by chance.
_DOUBT = 0.08
_UNSURE = 0.35
#: Pitch classes that differ less than this are noise.
_PLAIN = 0.15
#: Share of the seconds in which some pitch is heard, at least.
_HEARD = 0.3
#: Windows compared for likeness: 30 s, one every 10 s, with whatever is at least five minutes away.
_SPAN_S, _HOP_S, _AWAY_S = 30, 10, 300
_TWIN = 0.999
#: The score is held to 0.85 for the nearest. What is heard of onsets over a drone makes half minutes more alike than their notes
#: are, and the more, the longer the file: 0.86 was measured on two varied hours, 0.92 on a night; a loop has 1.
_MOST_BEST, _LEAST_MEDIAN = 0.97, 0.15
_SLOTS = 6


class PitchClasses:
    """Strength of the twelve pitch classes for each second, from blocks of one channel."""

    def __init__(self, sample_rate_hz: int, a4_hz: float) -> None:
        hz = np.arange(_WINDOW // 2 + 1) * sample_rate_hz / _WINDOW
        inside = (hz >= _LOWEST_HZ) & (hz <= min(_HIGHEST_HZ, 0.45 * sample_rate_hz))
        self._lines = np.flatnonzero(inside)
        pitch = 69.0 + 12.0 * np.log2(hz[inside] / a4_hz)
        # Lines between two pitches say little about either.
        closeness = np.cos(np.pi * (pitch - np.round(pitch))) ** 2 * np.sqrt(_EVEN_HZ / hz[inside])
        self._fold = np.zeros((len(self._lines), 12), dtype=np.float32)
        self._fold[np.arange(len(pitch)), np.round(pitch).astype(int) % 12] = closeness
        self._window = np.hanning(_WINDOW).astype(np.float32)
        self._rate_hz = sample_rate_hz
        self._rest = np.zeros(0, dtype=np.float32)
        self._rows: list[NDArray[np.float32]] = []

    def push(self, mono: NDArray[np.float32]) -> None:
        """The next block, shape (frames,)."""
        from scipy import fft

        joined = np.concatenate((self._rest, mono))
        count = len(joined) // _WINDOW
        if count:
            windows = joined[: count * _WINDOW].reshape(count, _WINDOW) * self._window
            spectrum = np.abs(fft.rfft(windows, axis=1)[:, self._lines])
            # Peaks only: what noise and drums spread evenly stays under four times the median.
            floor = np.median(spectrum, axis=1, keepdims=True)
            self._rows.append(np.sqrt(np.maximum(spectrum - 4.0 * floor, 0.0)).astype(np.float32) @ self._fold)
        self._rest = joined[count * _WINDOW :]

    def seconds(self) -> NDArray[np.float32]:
        """Shape (seconds, 12)."""
        if not self._rows:
            return np.zeros((0, 12), dtype=np.float32)
        rows = np.concatenate(self._rows)
        second = (np.arange(len(rows)) * _WINDOW // self._rate_hz).astype(int)
        sums = np.zeros((int(second[-1]) + 1, 12), dtype=np.float32)
        np.add.at(sums, second, rows)
        counts = np.maximum(np.bincount(second, minlength=len(sums)), 1)
        return np.asarray(sums / counts[:, None], dtype=np.float32)


def key_check(seconds: NDArray[np.float32], promises: Promises) -> Check:
    """The key that fits the pitch classes best, against the promised one."""
    target = promises.key.abc() if promises.key else None
    usual = seconds.mean(axis=0) if len(seconds) else np.zeros(12)
    heard = float(np.mean(seconds.max(axis=1) > 0)) if len(seconds) else 0.0
    if heard < _HEARD or usual.std() < _PLAIN * usual.mean():
        return Check("key", None, target, None, "", "not measurable", "no pitches are heard")
    fits = {key.abc(): _fit(usual, key) for pc in range(12) for key in (Key.from_pc(pc, "major"), Key.from_pc(pc, "minor"))}
    if promises.key is not None:
        fits[promises.key.abc()] = _fit(usual, promises.key)
    best = max(fits, key=lambda name: fits[name])
    if promises.key is None or target is None:
        return Check("key", best, None, None, "", "not promised")
    behind = fits[best] - fits[target]
    if best == target or behind <= _DOUBT:
        return Check("key", target, target, None, "", "pass", "" if best == target else f"{best} fits as well")
    shared = len(set(promises.key.scale_pcs) & set(Key.parse(best).scale_pcs))
    # Keys with nearly the same notes differ in what comes last and lowest, which pitch classes do not tell.
    verdict: Verdict = "not measurable" if fits[best] < _UNSURE or shared >= 6 else "fail"
    return Check("key", best, target, None, "", verdict, f"correlation {fits[best]:.2f} against {fits[target]:.2f}")


def _fit(usual: NDArray[np.floating], key: Key) -> float:
    return float(np.corrcoef(usual, np.roll(_profile(key.mode), key.tonic_pc))[0, 1])


def _profile(mode: str) -> NDArray[np.float64]:
    """The listeners' profile of major or minor; in other modes a step that is altered takes its neighbour's place."""
    steps = MODES[mode][0]
    parent = "minor" if 3 in steps else "major"
    profile = np.array(_MINOR if parent == "minor" else _MAJOR)
    for usual, step in zip(MODES[parent][0], steps, strict=True):
        if usual != step:
            profile[[usual, step]] = profile[[step, usual]]
    return profile


def likeness_checks(seconds: NDArray[np.float32], *, promised: bool) -> list[Check]:
    """Whether any half minute has a twin elsewhere, how alike the nearest ones are, and whether it is still one piece.

    Compared are the onsets of pitch classes in six slots of five seconds. Short files are not compared.
    """
    names = (("twins", 0.0, ""), ("likeness to the nearest", _MOST_BEST, ""), ("likeness as a whole", _LEAST_MEDIAN, ""))
    if len(seconds) < 2 * _AWAY_S + _SPAN_S:
        if not promised:
            return []
        return [Check(name, None, target, None, unit, "not measurable", "too short to compare") for name, target, unit in names]
    nearest, best, median = _compared(_features(seconds))
    twins = float(np.mean(nearest > _TWIN))
    measured = (twins, float(best.mean()), median)
    kept = (twins == 0.0, measured[1] <= _MOST_BEST, median >= _LEAST_MEDIAN)
    notes = ("share of half minutes that return literally", "mean of each half minute's best match", "median over all pairs")
    return [
        Check(name, value, target, None, unit, ("pass" if held else "fail") if promised else "not promised", note)
        for (name, target, unit), value, held, note in zip(names, measured, kept, notes, strict=True)
    ]


def _features(seconds: NDArray[np.float32]) -> NDArray[np.float32]:
    """One row of unit length for each second: how much begins in each pitch class in each slot of the following half minute."""
    loud = np.log1p(100.0 * seconds / max(1e-9, float(np.quantile(seconds, 0.95))))
    onsets = np.maximum(np.diff(loud, axis=0, prepend=loud[:1]), 0.0)
    sums = np.concatenate((np.zeros((1, 12)), np.cumsum(onsets, axis=0)))
    slot = _SPAN_S // _SLOTS
    count = len(seconds) - _SPAN_S + 1
    slots = [
        sums[number * slot + slot : number * slot + slot + count] - sums[number * slot : number * slot + count]
        for number in range(_SLOTS)
    ]
    rows = np.concatenate(slots, axis=1)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), dtype=np.float32)


def _compared(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """(best match of every window with any second at least five minutes away, the same with other windows, median of a third of
    all pairs).

    Whole loops need the fine comparison, whatever their length; how alike windows are is usually told on their own grid.
    """
    windows = rows[::_HOP_S]
    nearest, best = np.zeros(len(windows), dtype=np.float32), np.zeros(len(windows), dtype=np.float32)
    samples: list[NDArray[np.float32]] = []
    places = np.arange(len(rows))
    # Forty rows at a time: few enough that nothing is shared out between cores, where sums would depend on their number.
    for start in range(0, len(windows), 40):
        block = windows[start : start + 40] @ rows.T
        away = np.abs(places[None, :] - _HOP_S * (start + np.arange(len(block)))[:, None]) >= _AWAY_S
        apart = np.where(away, block, -1.0)
        nearest[start : start + len(block)] = apart.max(axis=1)
        best[start : start + len(block)] = apart[:, ::_HOP_S].max(axis=1)
        samples.append(block[:, :: 3 * _HOP_S][away[:, :: 3 * _HOP_S]])
    pairs = np.concatenate(samples)
    return nearest, best, float(np.median(pairs[:: max(1, math.ceil(len(pairs) / 1_000_000))]))
