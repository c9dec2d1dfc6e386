"""The minimum-requirements test signals of EBU Tech 3341 (version 4, table 1) and Tech 3342 (table 1), synthesised.

Not here are 3341-7, 3341-8, 3342-5 and 3342-6: they are authentic programmes, which nothing can synthesise. 3341-10 and 3341-13
are twenty files each; they are named 3341-10-0 to 3341-10-19 and so on.
"""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
RATE_HZ = 48_000
SEGMENTS = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a meter has to show, and how far it may be off, in LU or dB."""

    value: float
    below: float = 0.1
    above: float = 0.1

    def holds(self, found: float) -> bool:
        """Whether a reading is allowed."""
        return self.value - self.below <= found <= self.value + self.above


@dataclass(frozen=True, slots=True)
class EbuSignal:
    """A test signal. What the document asks nothing about is None."""

    name: str
    make: Callable[[], Samples]
    """Shape (frames, channels)."""
    integrated_lufs: Wanted | None = None
    range_lu: Wanted | None = None
    true_peak_dbtp: Wanted | None = None
    short_term_lufs: Wanted | None = None
    """All that is read after three seconds ("constant"), or the largest of it."""
    momentary_lufs: Wanted | None = None
    """All that is read after a second ("constant"), or the largest of it."""
    constant: bool = False
    """Every reading of short-term and momentary loudness counts, not the largest one."""
    successive_s: float | None = None
    """The signal is twenty tones in stretches of this length, each a decibel louder than the last; `wanted` is for the first."""


def tones(parts: Iterable[tuple[float, float]]) -> Samples:
    """A stereo sine of 1 kHz, both channels in phase, whose level follows (dBFS, seconds); silence is -inf."""
    level = np.concatenate([np.full(round(length_s * RATE_HZ), 10 ** (db / 20)) for db, length_s in parts])
    wave = level * np.sin(2 * np.pi * 1_000 * np.arange(len(level)) / RATE_HZ)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)


def _surround() -> Samples:
    """Five channels: left, right, centre, left surround, right surround."""
    wave = np.sin(2 * np.pi * 1_000 * np.arange(20 * RATE_HZ) / RATE_HZ)
    levels = 10 ** (np.array((-28.0, -28.0, -24.0, -30.0, -30.0)) / 20)
    return (wave[:, None] * levels).astype(np.float32)


def _hidden_peak(divisor: int, amplitude: float, phase_degrees: float) -> Samples:
    """A sine at the rate over `divisor`, its peaks between the samples; faded over 10 ms at both ends."""
    at = np.arange(RATE_HZ)
    wave = amplitude * np.sin(2 * np.pi * at / divisor + math.radians(phase_degrees)) * _faded(len(at), RATE_HZ // 100)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)


def _burst(offset: int) -> Samples:
    """A sine at a sixth of the rate with one period at a quarter of it: made at four times the rate, sampled with an offset."""
    from scipy.signal import firwin, oaconvolve

    base = 0.5 * np.sin(2 * np.pi * np.arange(24 * 4_000) / 24)
    burst = np.sin(2 * np.pi * np.arange(16) / 16)
    middle = 24 * 2_000  # the sine passes zero upwards here, and goes on from there after the burst
    wave = np.concatenate((base[:middle], burst, base[middle:]))
    wave *= _faded(len(wave), 4 * RATE_HZ // 100)
    # Symmetric, so that the burst's peak stays on a sample of the original rate where the offset is 0.
    filtered = oaconvolve(wave, firwin(1_023, 0.25, window=("kaiser", 8.0)), mode="same")
    return np.repeat(filtered[offset::4][:, None], 2, axis=1).astype(np.float32)


def _faded(frames: int, fade: int) -> NDArray[np.float64]:
    at = np.arange(frames)
    return np.minimum(1.0, np.minimum(at, at[::-1]) / fade)


def _late_tone(number: int, step_s: float, tone_s: float) -> Samples:
    return tones([(-math.inf, number * step_s), (-23.0, tone_s), (-math.inf, 1.0)])


def _rising(step_s: float, tone_s: float) -> Samples:
    return tones(
        part
        for number in range(SEGMENTS)
        for part in ((-math.inf, number * step_s), (-38.0 + number, tone_s), (-math.inf, tone_s - number * step_s))
    )


_TRUE_PEAK_TOLERANCE = (0.4, 0.2)
_AT_23 = Wanted(-23.0)

SIGNALS: tuple[EbuSignal, ...] = (
    EbuSignal("3341-1", partial(tones, [(-23.0, 20.0)]), _AT_23, short_term_lufs=_AT_23, momentary_lufs=_AT_23, constant=True),
    EbuSignal(
        "3341-2",
        partial(tones, [(-33.0, 20.0)]),
        Wanted(-33.0),
        short_term_lufs=Wanted(-33.0),
        momentary_lufs=Wanted(-33.0),
        constant=True,
    ),
    EbuSignal("3341-3", partial(tones, [(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)]), _AT_23),
    EbuSignal("3341-4", partial(tones, [(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)]), _AT_23),
    EbuSignal("3341-5", partial(tones, [(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)]), _AT_23),
    EbuSignal("3341-6", _surround, _AT_23),
    EbuSignal("3341-9", partial(tones, [(-20.0, 1.34), (-30.0, 1.66)] * 5), short_term_lufs=_AT_23, constant=True),
    *(
        EbuSignal(f"3341-10-{number}", partial(_late_tone, number, 0.15, 3.0), short_term_lufs=_AT_23)
        for number in range(SEGMENTS)
    ),
    EbuSignal("3341-11", partial(_rising, 0.15, 3.0), short_term_lufs=Wanted(-38.0), successive_s=6.0),
    EbuSignal("3341-12", partial(tones, [(-20.0, 0.18), (-30.0, 0.22)] * 25), momentary_lufs=_AT_23, constant=True),
    *(
        EbuSignal(f"3341-13-{number}", partial(_late_tone, number, 0.02, 0.4), momentary_lufs=_AT_23)
        for number in range(SEGMENTS)
    ),
    EbuSignal("3341-14", partial(_rising, 0.02, 0.4), momentary_lufs=Wanted(-38.0), successive_s=0.8),
    EbuSignal("3341-15", partial(_hidden_peak, 4, 0.5, 0.0), true_peak_dbtp=Wanted(-6.0, *_TRUE_PEAK_TOLERANCE)),
    EbuSignal("3341-16", partial(_hidden_peak, 4, 0.5, 45.0), true_peak_dbtp=Wanted(-6.0, *_TRUE_PEAK_TOLERANCE)),
    EbuSignal("3341-17", partial(_hidden_peak, 6, 0.5, 60.0), true_peak_dbtp=Wanted(-6.0, *_TRUE_PEAK_TOLERANCE)),
    EbuSignal("3341-18", partial(_hidden_peak, 8, 0.5, 67.5), true_peak_dbtp=Wanted(-6.0, *_TRUE_PEAK_TOLERANCE)),
    EbuSignal("3341-19", partial(_hidden_peak, 4, 1.41, 45.0), true_peak_dbtp=Wanted(3.0, *_TRUE_PEAK_TOLERANCE)),
    *(
        EbuSignal(f"3341-{20 + offset}", partial(_burst, offset), true_peak_dbtp=Wanted(0.0, *_TRUE_PEAK_TOLERANCE))
        for offset in range(4)
    ),
    EbuSignal("3342-1", partial(tones, [(-20.0, 20.0), (-30.0, 20.0)]), range_lu=Wanted(10.0, 1.0, 1.0)),
    EbuSignal("3342-2", partial(tones, [(-20.0, 20.0), (-15.0, 20.0)]), range_lu=Wanted(5.0, 1.0, 1.0)),
    EbuSignal("3342-3", partial(tones, [(-40.0, 20.0), (-20.0, 20.0)]), range_lu=Wanted(20.0, 1.0, 1.0)),
    EbuSignal(
        "3342-4",
        partial(tones, [(level, 20.0) for level in (-50.0, -35.0, -20.0, -35.0, -50.0)]),
        range_lu=Wanted(15.0, 1.0, 1.0),
    ),
)
"""Every signal that its document defines by numbers."""


@dataclass(frozen=True, slots=True)
class FfmpegReading:
    """What ffmpeg's ebur128 filter says of a whole file."""

    integrated_lufs: float
    range_lu: float
    true_peak_dbtp: float
    momentary_lufs: NDArray[np.float64]
    """Every 100 ms, over what was played so far at the beginning."""


def read_by_ffmpeg(path: Path) -> FfmpegReading:
    """Measure a file with ffmpeg, in thousandths where it tells them. Raises OSError, CalledProcessError."""
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "info", "-i", str(path)]
    graph = "ebur128=peak=true:metadata=1,ametadata=print:file=-"
    told = subprocess.run([*command, "-af", graph, "-f", "null", "-"], capture_output=True, encoding="utf-8", check=True)
    # The filter's frames end every 100 ms; what comes after the last one is in the summary, to a tenth.
    readings = [
        line.removeprefix("lavfi.r128.").split("=") for line in told.stdout.splitlines() if line.startswith("lavfi.r128.")
    ]
    named = {name: [float(value) for key, value in readings if key == name] for name in ("I", "LRA", "M", "true_peak")}
    summary = float(told.stderr[told.stderr.rindex("Summary:") :].split("Peak:")[1].split()[0])
    fine = 20 * math.log10(max(named["true_peak"])) if max(named["true_peak"]) > 0 else -math.inf
    true_peak = fine if abs(fine - summary) <= 0.06 else summary
    return FfmpegReading(named["I"][-1], named["LRA"][-1], true_peak, np.array(named["M"]))
