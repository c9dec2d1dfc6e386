"""Standing tones and the beat between the channels: long spectra whose sharp, lonely lines are read to a hundredth of a hertz.

A tone that stands still over a window of twelve seconds is a line a tenth of a hertz wide; notes, speech and noise are not. Notes
that come again and again are hills a hertz wide in the mean of all spectra, and are read to about a quarter of a hertz.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Long sounds are looked at in windows of this length, shorter ones as a whole.
WINDOW_S = 12.0
_LONG_S = 600.0
#: Shorter sounds have no lines that could be told from notes.
SHORTEST_S = 2.0
_LOWEST_HZ = 18.0
#: A line stands out so far from what is within two hertz of it ...
_PROMINENCE, _AROUND_HZ = 8.0, 2.0
#: ... holds this share of the power within a hertz, and is not so far under the strongest line.
_LONELY, _LONELY_HZ = 0.6, 1.0
_RANGE_DB, _AUDIBLE_DBFS = 45.0, -80.0
_LINES = 24
#: Notes: how wide their hills are, how far they stand out of what is around, how far apart two of them are at least.
_NOTE_HZ, _NOTE_PROMINENCE, _NOTE_APART_HZ, _LOWEST_NOTE_HZ, _NOTE_RANGE_DB = 0.5, 20.0, 4.0, 40.0, 20.0
#: The squares of a sine's bins in a Hann window sum to so much times the square of its amplitude.
_HANN_BINS = 1.5
_MOST_TONES = 8
#: A tone must stand in this share of the windows to be named.
_LEAST_SHARE = 0.15
#: ... and in so many, where there are more: notes may stand still by chance for one.
_LEAST_WINDOWS = 2
#: One ear's tone is at least so much softer in the other ear; beats further apart are two tones.
_OTHER_EAR, _SLOWEST_BEAT_HZ, _FASTEST_BEAT_HZ, _UNEQUAL_DB = 0.3, 0.3, 45.0, 9.0


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone that stands still, or glides slowly."""

    frequency_hz: float
    lowest_hz: float
    highest_hz: float
    """Where it was seen; the same as `frequency_hz` within the reading's error for a tone that stands."""
    level_dbfs: float
    """Of a full-scale sine: 0."""
    share: float
    """In how much of the sound it stands, 0 to 1."""
    channels: str
    """both, left or right."""
    stands: bool = True
    """False for the pitch of notes that come and go."""

    @property
    def glides(self) -> bool:
        """Whether it moved by more than a reading's error."""
        return self.highest_hz - self.lowest_hz > 0.2


@dataclass(frozen=True, slots=True)
class Beat:
    """Two tones, one on each ear, whose difference is heard as a beat."""

    beat_hz: float
    lowest_hz: float
    highest_hz: float
    carrier_hz: float
    """Half way between the two tones."""
    share: float

    @property
    def glides(self) -> bool:
        """Whether the beat changed."""
        return self.highest_hz - self.lowest_hz > 0.1


@dataclass(frozen=True, slots=True)
class _Line:
    hz: float
    amplitude: float
    window: int
    left: float
    right: float


class ToneFinder:
    """Feed samples with `push`, then ask `tones` and `beat`. Only the first two channels are looked at."""

    def __init__(self, sample_rate_hz: int, frames: int) -> None:
        from scipy.fft import prev_fast_len

        self._rate = sample_rate_hz
        size = min(frames, round(WINDOW_S * sample_rate_hz))
        self._size = int(prev_fast_len(size)) if size >= SHORTEST_S * sample_rate_hz else 0
        # Windows of shorter sounds overlap by half, so that their ends count too.
        self._hop = self._size if frames > _LONG_S * sample_rate_hz else max(1, self._size // 2)
        self._parts: list[NDArray[np.float32]] = []
        self._have = 0
        self._windows = 0
        self._lines: list[_Line] = []
        self._power = np.zeros(self._size // 2 + 1)
        self._beats: list[tuple[float, float]] = []

    def push(self, samples: NDArray[np.float32]) -> None:
        """The next block, shape (frames, channels)."""
        if not self._size:
            return
        self._parts.append(samples[:, :2])
        self._have += len(samples)
        if self._have < self._size:
            return
        ready = np.concatenate(self._parts)
        while len(ready) >= self._size:
            self._look(ready[: self._size])
            ready = ready[self._hop :]
        self._parts, self._have = [ready], len(ready)

    def tones(self) -> tuple[Tone, ...]:
        """The strongest standing tones, the strongest first."""
        groups: list[list[_Line]] = []
        for line in sorted(self._lines, key=lambda line: line.hz):
            near = 2.0 * self._rate / self._size
            if groups and line.hz - groups[-1][-1].hz <= near:
                groups[-1].append(line)
            else:
                groups.append([line])
        found = [self._tone(group) for group in groups]
        least = max(_LEAST_SHARE, min(_LEAST_WINDOWS, self._windows - 1) / max(1, self._windows))
        found = [tone for tone in found if tone.share >= least]
        found.sort(key=lambda tone: -(tone.level_dbfs + 10 * math.log10(tone.share)))
        strongest = found[0].level_dbfs if found else 0.0
        return tuple(tone for tone in found[:_MOST_TONES] if tone.level_dbfs > strongest - _RANGE_DB)

    def notes(self) -> tuple[Tone, ...]:
        """The strongest pitches that come and go, the strongest first: hills of the mean spectrum that are no standing tones."""
        from scipy.ndimage import gaussian_filter1d, median_filter

        if not self._windows or not self._power.any():
            return ()
        bins_per_hz = self._size / self._rate
        smooth = gaussian_filter1d(self._power / self._windows, _NOTE_HZ * bins_per_hz)
        step = max(1, round(bins_per_hz))
        # What is around a pitch within 25 Hz, looked at hertz by hertz.
        around = np.interp(np.arange(len(smooth)), np.arange(0, len(smooth), step), median_filter(smooth[::step], 51))
        hill = np.zeros(len(smooth), dtype=bool)
        hill[1:-1] = (
            (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:]) & (smooth[1:-1] > _NOTE_PROMINENCE * around[1:-1])
        )
        hill[: round(_LOWEST_NOTE_HZ * bins_per_hz)] = False
        standing = [tone.frequency_hz for tone in self.tones()]
        reach = max(1, round(2 * _NOTE_HZ * bins_per_hz))
        out: list[Tone] = []
        for place in np.flatnonzero(hill)[np.argsort(-smooth[hill])]:
            part = slice(max(0, place - reach), place + reach + 1)
            hz = float(np.average(np.arange(part.start, min(part.stop, len(smooth))), weights=self._power[part]) / bins_per_hz)
            power = float(self._power[part].sum()) / self._windows / _HANN_BINS
            taken = [*standing, *(tone.frequency_hz for tone in out)]
            if all(abs(hz - other) > _NOTE_APART_HZ for other in taken):
                out.append(Tone(hz, hz, hz, 10 * math.log10(max(power, 1e-20)), 1.0, "both", stands=False))
            if len(out) == _MOST_TONES:
                break
        return tuple(tone for tone in out if tone.level_dbfs > max(out[0].level_dbfs - _NOTE_RANGE_DB, _AUDIBLE_DBFS))

    def beat(self) -> Beat | None:
        """The beat between the channels, where there is one in enough of the sound."""
        share = len(self._beats) / max(1, self._windows)
        if share < _LEAST_SHARE:
            return None
        beats, carriers = np.array(self._beats).T
        return Beat(float(np.median(beats)), float(beats.min()), float(beats.max()), float(np.median(carriers)), share)

    def _tone(self, group: list[_Line]) -> Tone:
        weights = np.array([line.amplitude**2 for line in group])
        hz = np.array([line.hz for line in group])
        left, right = (float(sum(getattr(line, ear) for line in group)) for ear in ("left", "right"))
        channels = "left" if right < _OTHER_EAR * left else "right" if left < _OTHER_EAR * right else "both"
        share = len({line.window for line in group}) / max(1, self._windows)
        level = 10 * math.log10(float(weights.mean()))
        return Tone(float(np.average(hz, weights=weights)), float(hz.min()), float(hz.max()), level, share, channels)

    def _look(self, samples: NDArray[np.float32]) -> None:
        from scipy.fft import rfft

        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self._size) / self._size)
        scale = 2 / window.sum()
        spectra = np.abs(rfft(np.ascontiguousarray(samples.T) * window.astype(np.float32), axis=1)) * scale
        number, self._windows = self._windows, self._windows + 1
        self._power += np.square(spectra, dtype=np.float64).mean(axis=0)
        per_channel = [self._sharp(spectrum) for spectrum in spectra]
        seen: dict[int, _Line] = {}
        for own, places in enumerate(per_channel):
            for place in places:
                other = next((one for one in (place, place - 1, place + 1) if one in seen), None)
                hz, amplitude = self._read(spectra[own], place)
                if other is None or seen[other].amplitude < amplitude:
                    if other is not None:
                        del seen[other]
                    left, right = float(spectra[0][place]), float(spectra[-1][place])
                    seen[place] = _Line(hz, amplitude, number, left, right)
        self._lines += sorted(seen.values(), key=lambda line: -line.amplitude)[:_LINES]
        if len(spectra) == 2:
            self._pair(spectra, per_channel)

    def _sharp(self, spectrum: NDArray[Any]) -> list[int]:
        """Bins of lines that stand out and stand alone, the strongest first."""
        width = max(8, round(_AROUND_HZ * self._size / self._rate))
        blocks = -(-len(spectrum) // width)
        padded = np.pad(spectrum, (0, blocks * width - len(spectrum)), mode="edge").reshape(blocks, width)
        floor = np.median(padded, axis=1)
        floor = np.repeat(np.maximum(floor, np.minimum(np.roll(floor, 1), np.roll(floor, -1))), width)[: len(spectrum)]
        peak = np.zeros(len(spectrum), dtype=bool)
        peak[2:-2] = (spectrum[2:-2] > spectrum[1:-3]) & (spectrum[2:-2] >= spectrum[3:-1])
        first = max(3, round(_LOWEST_HZ * self._size / self._rate))
        peak[:first] = False
        loudest = float(spectrum[first:].max(initial=0.0))
        least = max(10 ** (_AUDIBLE_DBFS / 20), loudest * 10 ** (-_RANGE_DB / 20))
        places = np.flatnonzero(peak & (spectrum > _PROMINENCE * floor) & (spectrum > least))
        places = places[np.argsort(-spectrum[places])][: 4 * _LINES]
        reach = max(4, round(_LONELY_HZ * self._size / self._rate))
        alone = []
        for place in places:
            around = float(np.square(spectrum[max(0, place - reach) : place + reach + 1]).sum())
            if float(np.square(spectrum[place - 2 : place + 3]).sum()) >= _LONELY * around:
                alone.append(int(place))
        return alone

    def _read(self, spectrum: NDArray[Any], place: int) -> tuple[float, float]:
        """(Hz, amplitude) of the line between its bins: exact for a pure tone in a Hann window."""
        side = 1 if spectrum[place + 1] >= spectrum[place - 1] else -1
        ratio = float(spectrum[place + side] / spectrum[place])
        off = min(0.5, max(0.0, (2 * ratio - 1) / (ratio + 1)))
        droop = math.sin(math.pi * off) / (math.pi * off * (1 - off * off)) if off > 1e-6 else 1.0
        return (place + side * off) * self._rate / self._size, float(spectrum[place]) / droop

    def _pair(self, spectra: NDArray[Any], per_channel: list[list[int]]) -> None:
        """Note the strongest pair of lines that each stand on one ear only."""
        ears: list[list[tuple[float, float]]] = []
        for own, places in enumerate(per_channel):
            other = spectra[1 - own]
            alone = [place for place in places if other[place - 1 : place + 2].max() < _OTHER_EAR * spectra[own][place]]
            ears.append([self._read(spectra[own], place) for place in alone])
        best: tuple[float, float, float] | None = None
        for left_hz, left in ears[0]:
            for right_hz, right in ears[1]:
                apart = abs(left_hz - right_hz)
                equal = abs(20 * math.log10(left / right)) <= _UNEQUAL_DB
                strength = min(left, right)
                if _SLOWEST_BEAT_HZ <= apart <= _FASTEST_BEAT_HZ and equal and (best is None or strength > best[0]):
                    best = (strength, apart, (left_hz + right_hz) / 2)
        if best is not None:
            self._beats.append(best[1:])
