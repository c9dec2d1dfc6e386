"""How far a soundfont's own samples are off pitch, measured where they loop, so that the synth can put it right.

Samples of soundfonts are up to twenty cents off by themselves. All keys of one region play the same samples, so one short note
is rendered for each region that a song uses and its pitch read from the slope of its phase: a few milliseconds, once, for the
results are kept by the soundfont's checksum. Each depends on its region alone, so what a song sounds like depends neither on
what was measured before nor on whether it was remembered.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen import disk
from llm_music_gen.parsing import parse_json
from llm_music_gen.paths import studio_paths
from llm_music_gen.sound.phase import Baseband, Slope, baseband, slope_of, spectrum_peak, windowed_spectrum
from llm_music_gen.sound.soundfont_zones import Region, read_zones
from llm_music_gen.units import SAMPLE_RATE_HZ, midi_to_hz, ratio_to_cents

Render = Callable[[int, int, int, int, int], NDArray[np.float32]]
"""(bank, program, key, velocity, frames held) -> samples at A4 = 440 Hz, uncorrected, shape (frames, 2)."""

#: A change of the method makes what was remembered worthless.
_METHOD = 1
_NOTE_S, _ATTACK_S, _FIRST_LOOK_S = 2.2, 0.2, 0.75
#: The key of a region that is measured: the one nearest to E4, where a second holds hundreds of periods.
_BEST_KEY, _BEST_VELOCITY = 64, 100
#: A fundamental this far under the strongest of the first partials is not what is heard as the pitch.
_WEAK = 10.0 ** (-25 / 20)
_FIRST_PARTIALS = (1, 2, 3, 4)
#: What lies further away is another tone, not a mistuned one.
_FURTHEST_CENTS = 60.0
#: A preset holds its pitch when it can be told this well, wavers no more than this (a vibrato is several
#: times that), is the same in both halves of the note, and sounds long enough to be told at all.
_HELD_UNCERTAINTY_CENTS, _HELD_SPREAD_CENTS, _HELD_DRIFT_CENTS, _HELD_S = 0.25, 0.7, 0.6, 1.0
#: Where the pitch is not even known this well, or is all over the place, nothing is corrected.
_KNOWN_CENTS, _KNOWN_SPREAD_CENTS = 2.0, 8.0


@dataclass(frozen=True, slots=True)
class Hold:
    """How a key of a preset keeps its pitch."""

    error_cents: float
    """Its own error against A4 = 440 Hz, to be taken back; 0 where it cannot be told."""
    spread_cents: float
    """How far the pitch moves around its mean, one standard deviation."""
    holds: bool
    """Whether the corrected note stands on its pitch; not so with chorus, strong vibrato, noise and very short sounds."""


_UNKNOWN = Hold(0.0, 0.0, False)


class Calibration:
    """The errors of one soundfont, measured with `render` where they are not remembered yet."""

    def __init__(self, soundfont: Path, render: Render, *, made_by: str = "", cache_dir: Path | None = None) -> None:
        self._zones, checksum = read_zones(soundfont)
        self._render = render
        self._made_by = made_by
        folder = studio_paths().cache_dir if cache_dir is None else cache_dir
        self._place = folder / "calibration" / f"{checksum[:32]}.json"
        self._known = self._read()
        self._asked: dict[tuple[int, int, int, int], Hold] = {}
        self._new = False

    def hold(self, bank: int, program: int, key: int, velocity: int) -> Hold:
        """How the preset keeps its pitch at a key and velocity."""
        asked = (bank, program, key, velocity)
        if asked not in self._asked:
            self._asked[asked] = self._measured(*asked)
        return self._asked[asked]

    def _measured(self, bank: int, program: int, key: int, velocity: int) -> Hold:
        region = self._zones.region(bank, program, key, velocity) if self._zones is not None else None
        if region is None:
            # A file that is not understood is measured key by key.
            region = Region(f"key {key}", (key, key), (velocity, velocity))
        name = f"{bank}:{program} {region.name} {region.keys[0]}-{region.keys[1]} {region.velocities[0]}-{region.velocities[1]}"
        if name not in self._known:
            measured_key = min(max(_BEST_KEY, region.keys[0]), region.keys[1])
            measured_velocity = min(max(_BEST_VELOCITY, region.velocities[0]), region.velocities[1])
            samples = self._render(bank, program, measured_key, measured_velocity, round(_NOTE_S * SAMPLE_RATE_HZ))
            self._known[name] = measure_hold(samples, midi_to_hz(measured_key))
            self._new = True
        return self._known[name]

    def save(self) -> None:
        """Remember what was measured. A folder that cannot be written only costs time the next time."""
        if not self._new:
            return
        with contextlib.suppress(OSError):
            self._place.parent.mkdir(parents=True, exist_ok=True)
            # Another process may have measured something else meanwhile.
            regions = {
                name: [hold.error_cents, hold.spread_cents, hold.holds] for name, hold in {**self._read(), **self._known}.items()
            }
            text = json.dumps({"method": _METHOD, "made_by": self._made_by, "regions": regions}, indent=0, sort_keys=True)
            disk.write_whole(self._place, text.encode("utf-8"))
            self._new = False

    def _read(self) -> dict[str, Hold]:
        try:
            data = parse_json(self._place.read_text(encoding="utf-8"))
            if data["method"] != _METHOD or data["made_by"] != self._made_by:
                return {}
            return {
                str(name): Hold(_cents(error), _cents(spread), bool(holds))
                for name, (error, spread, holds) in data["regions"].items()
            }
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}


def measure_hold(samples: NDArray[np.float32], wanted_hz: float) -> Hold:
    """How a note of at least `2.2` s, shape (frames, 2), keeps the pitch it should have. Cents are rounded to thousandths."""
    mono = samples[round(_ATTACK_S * SAMPLE_RATE_HZ) : round(_NOTE_S * SAMPLE_RATE_HZ)].sum(axis=1, dtype=np.float64)
    if not len(mono) or not np.abs(mono).max() > 0:
        return _UNKNOWN
    spectrum, line_hz = windowed_spectrum(mono[: round(_FIRST_LOOK_S * SAMPLE_RATE_HZ)], SAMPLE_RATE_HZ)
    peaks = [spectrum_peak(spectrum, line_hz, wanted_hz * number, _FURTHEST_CENTS) for number in _FIRST_PARTIALS]
    strongest = max(level for _, level in peaks)
    number = next(number for number, (_, level) in zip(_FIRST_PARTIALS, peaks, strict=True) if level >= _WEAK * strongest)
    window_s = max(0.12, 8.0 / wanted_hz)
    guess_hz = peaks[number - 1][0]
    tone = baseband(mono, guess_hz, SAMPLE_RATE_HZ, window_s)
    slope = slope_of(tone)
    if slope is None:
        return _UNKNOWN
    error = ratio_to_cents(slope.frequency_hz / (number * wanted_hz)) if slope.frequency_hz > 0 else _FURTHEST_CENTS
    doubt = ratio_to_cents(1.0 + slope.uncertainty_hz / guess_hz)
    if abs(error) >= _FURTHEST_CENTS or doubt > _KNOWN_CENTS or slope.spread_cents > _KNOWN_SPREAD_CENTS:
        return Hold(0.0, _rounded(slope.spread_cents), False)
    halves = _halves(tone)
    drift = abs(ratio_to_cents(halves[1].frequency_hz / halves[0].frequency_hz)) if halves[0] and halves[1] else 0.0
    holds = (
        doubt <= _HELD_UNCERTAINTY_CENTS
        and slope.spread_cents <= _HELD_SPREAD_CENTS
        and drift <= _HELD_DRIFT_CENTS
        and slope.heard_s >= _HELD_S
    )
    return Hold(_rounded(error), _rounded(slope.spread_cents), holds)


def _halves(tone: Baseband) -> tuple[Slope | None, Slope | None]:
    middle = len(tone.values) // 2
    return slope_of(replace(tone, values=tone.values[:middle])), slope_of(replace(tone, values=tone.values[middle:]))


def _rounded(cents: float) -> float:
    """To a thousandth, so that another processor's last bits make no other song."""
    return round(float(cents), 3)


def _cents(value: object) -> float:
    """What a file says, if it can be true. Raises ValueError."""
    cents = float(value) if isinstance(value, int | float) else float("nan")
    if not -_FURTHEST_CENTS <= cents <= 10_000.0:
        raise ValueError("not a number of cents")
    return cents
