"""The beat of an entrainment layer: two lines around the carrier, whose distance is the beat.

Binaural: one line on each ear, half a beat below and above. Monaural and isochronic: the lines of the pulses, one beat below and
above in the middle. Both channels are turned by the promised schedule, gliding or not, so that a beat that is right stands
still, and one that is wrong leaves a slope.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from llm_music_gen.proof.checks import BeatPromise, Check, judged
from llm_music_gen.proof.stretches import Stretch, inside_s
from llm_music_gen.sound.phase import Baseband, slope_of

#: A beat that is further off than this is not recognised as the one that was promised.
_SEARCH_HZ = 12.0
#: Lines must stand out from what is around them by 12 dB, and a pair so slow that it could be one line is none.
_PROMINENCE, _SLOWEST_HZ = 4.0, 0.6
#: A pair where it was promised counts when it is no weaker than this beside the strongest one.
_SHARE = 0.1
_LONGEST_SMOOTHING_S = 2.0


@dataclass(frozen=True, slots=True)
class BeatSeen:
    """The beat in one stretch."""

    off_hz: float
    """From what was promised there."""
    uncertainty_hz: float
    promised_hz: float


def beat_in(stretch: Stretch, promise: BeatPromise) -> BeatSeen | None:
    """The beat of a stretch that lies in the layer, or None where none is found."""
    if stretch.first_s < promise.start_s or stretch.first_s + stretch.length_s > promise.end_s or stretch.length_s < 2.0:
        return None
    ears = promise.kind == "binaural"
    share = 0.5 if ears else 1.0
    times_s = stretch.first_s + np.array([0.0, stretch.length_s / 2, stretch.length_s])
    _, middle, fastest = np.sort(promise.beat_hz.value(times_s))
    half_band = share * fastest + _SEARCH_HZ + 8.0
    left, right = (stretch.left, stretch.right) if ears else (stretch.middle, stretch.middle)
    low = _turned(stretch.tone(left, promise.carrier_hz, half_band), stretch, promise, -share)
    high = _turned(stretch.tone(right, promise.carrier_hz, half_band), stretch, promise, share)
    offset = _pair(low, high, share * middle, _SEARCH_HZ if ears else min(_SEARCH_HZ, 0.45 * middle))
    if offset is None:
        return None
    below, above = _slope(low, offset), _slope(high, -offset)
    if below is None or above is None:
        return None
    scale = 1.0 if ears else 0.5
    return BeatSeen(scale * (above[0] - below[0]), scale * math.hypot(below[1], above[1]), float(middle))


def _turned(tone: Baseband, stretch: Stretch, promise: BeatPromise, share: float) -> Baseband:
    """The band turned by the promised schedule, so that the promised line stands at 0 Hz."""
    times_s = stretch.first_s + inside_s(tone.step_s) + np.arange(len(tone.values), dtype=np.float64) * tone.step_s
    cycles = share * promise.beat_hz.integral(times_s) + (promise.carrier_hz - tone.guess_hz) * times_s
    return replace(tone, values=tone.values * np.exp(-2j * np.pi * (cycles % 1.0)), guess_hz=promise.carrier_hz)


def _pair(low: Baseband, high: Baseband, apart_hz: float, search_hz: float) -> float | None:
    """By how much the strongest pair of lines lies further in than promised (the lower one above its place, in Hz)."""
    from scipy import fft

    count = min(len(low.values), len(high.values))
    size = fft.next_fast_len(4 * count)
    window = np.hanning(count)
    spectra = [np.abs(fft.fft(tone.values[:count] * window, size)) for tone in (low, high)]
    hz = fft.fftfreq(size, low.step_s)
    # The upper line moves the other way: mirror it.
    mirrored = np.roll(spectra[1][::-1], 1)
    pair = np.sqrt(spectra[0] * mirrored)
    wanted = (np.abs(hz) <= search_hz) & (np.abs(apart_hz - hz) > _SLOWEST_HZ / 2)
    if not wanted.any() or not pair[wanted].max() > 0:
        return None
    # A pair where it was promised is the one that was promised, even if another layer's is somewhat stronger.
    promised = wanted & (np.abs(hz) <= 1.5 / (count * low.step_s)) & (pair >= _SHARE * pair[wanted].max())
    for among in (promised, wanted):
        if not among.any():
            continue
        place = int(np.flatnonzero(among)[pair[among].argmax()])
        near = (np.abs(hz - hz[place]) < 2.0) & (np.abs(hz - hz[place]) > 0.4) & wanted
        if all(spectrum[place] >= _PROMINENCE * float(np.median(spectrum[near])) for spectrum in (spectra[0], mirrored)):
            return float(hz[place])
    return None


def _slope(tone: Baseband, shift_hz: float) -> tuple[float, float] | None:
    """(offset in Hz, uncertainty) of the line near an offset."""
    times_s = np.arange(len(tone.values)) * tone.step_s
    turned = tone.values * np.exp(-2j * np.pi * ((shift_hz * times_s) % 1.0))
    size = max(3, min(round(_LONGEST_SMOOTHING_S / tone.step_s), len(turned) // 4))
    window = np.hanning(size + 2)[1:-1]
    smooth = np.convolve(turned, window / window.sum(), "valid")
    line = slope_of(replace(tone, values=smooth, window_s=size * tone.step_s))
    return None if line is None else (shift_hz + line.frequency_hz - tone.guess_hz, line.uncertainty_hz)


def beat_check(seen: Sequence[BeatSeen], promise: BeatPromise | None, *, mono: bool) -> list[Check]:
    """The beat over all stretches in which it was promised."""
    if promise is None:
        return []
    if mono and promise.kind == "binaural":
        return [Check("beat", None, "binaural", None, "Hz", "fail", "both sides are the same, so there is no binaural beat")]
    if not seen:
        return [Check("beat", None, _target(promise), None, "Hz", "not measurable", f"no {promise.kind} beat stands out")]
    worst = max(seen, key=lambda one: abs(one.off_hz) - one.uncertainty_hz)
    note = f"{promise.kind}, {len(seen)} places"
    if len({one.promised_hz for one in seen}) > 1:
        note += ", the place that is furthest off"
    measured_hz = worst.promised_hz + worst.off_hz
    return [judged("beat", measured_hz, worst.promised_hz, promise.tolerance_hz, "Hz", worst.uncertainty_hz, note)]


def _target(promise: BeatPromise) -> float | str:
    values = sorted({value for _, value in promise.beat_hz.points})
    return values[0] if len(values) == 1 else f"{values[0]:g} to {values[-1]:g}"
