"""Tools that change the colour by filters: eq, highpass, lowpass, deess, enhance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import UsageError
from llm_music_gen.processing.audio import Audio, Block
from llm_music_gen.processing.streams import Change, Filter, filtered, frequency_inside, mapped, steady, with_tail
from llm_music_gen.tools.spec import Range
from llm_music_gen.units import db_to_gain

BAND_TYPES = ("low_shelf", "high_shelf", "bell")
_BAND_RANGES = {"hz": (10.0, 24_000.0), "db": (-20.0, 20.0), "q": (0.1, 10.0)}
_SLOPE_ORDER = 4
#: Sibilants stand out when their band comes nearer than this to the whole sound.
_SIBILANT_DB = -9.0
_DEESS_ATTACK_S = 0.002
_DEESS_RELEASE_S = 0.04
_DEESS_FILTER_S = 0.003
_AIR_HZ, _PRESENCE_HZ, _HARMONICS_FROM_HZ = 10_000.0, 3_800.0, 3_000.0


def eq(audio: Audio, bands: list[dict[str, Any]]) -> Audio:
    """Raise or lower parts of the spectrum.

    bands: Each {type: low_shelf, high_shelf or bell, hz: 10 to 24000, db: -20 to 20, q: 0.1 to 10}.
    """
    sections = [_section(band, audio.sample_rate_hz) for band in bands]
    return filtered(audio, np.array([section for section in sections if section is not None]).reshape(-1, 6))


def highpass(audio: Audio, hz: Annotated[float, Range(5, 20000, "Hz")] = 80.0) -> Audio:
    """Take away what is lower than a frequency, by 24 dB per octave.

    hz: Where 3 dB are missing.
    """
    from scipy.signal import butter

    return filtered(
        audio, butter(_SLOPE_ORDER, frequency_inside(hz, audio.sample_rate_hz), "high", output="sos", fs=audio.sample_rate_hz)
    )


def lowpass(audio: Audio, hz: Annotated[float, Range(20, 24000, "Hz")] = 12_000.0) -> Audio:
    """Take away what is higher than a frequency, by 24 dB per octave.

    hz: Where 3 dB are missing.
    """
    from scipy.signal import butter

    if hz >= 0.5 * audio.sample_rate_hz:
        return audio  # nothing is up there
    return filtered(
        audio, butter(_SLOPE_ORDER, frequency_inside(hz, audio.sample_rate_hz), output="sos", fs=audio.sample_rate_hz)
    )


def deess(
    audio: Audio, hz: Annotated[float, Range(2000, 12000, "Hz")] = 5_500.0, db: Annotated[float, Range(0, 24, "dB")] = 6.0
) -> Audio:
    """Soften sharp s sounds: the top is turned down only where it stands out.

    hz: Where the top begins.
    db: The most that is taken away.
    """
    if hz >= 0.45 * audio.sample_rate_hz or db == 0:
        return audio
    return replace(audio, walk=lambda: _deessed(audio, hz, db))


def _deessed(audio: Audio, hz: float, db: float) -> Iterator[Block]:
    """The top is cut out by a filter of linear phase, so that what is taken away is in step with what it is taken from."""
    from scipy.signal import firwin, oaconvolve

    half = round(_DEESS_FILTER_S * audio.sample_rate_hz)
    taps = firwin(2 * half + 1, hz, pass_zero=False, fs=audio.sample_rate_hz)[:, None]
    loud_top, loud_all = (_Envelope(_DEESS_ATTACK_S, _DEESS_RELEASE_S, audio.sample_rate_hz) for _ in range(2))
    before = np.zeros((2 * half, audio.channels), dtype=np.float32)
    skip = half
    for block in steady(with_tail(audio, half).walk()):
        around = np.concatenate((before, block))
        before = around[len(block) :]
        high = oaconvolve(around, taps, mode="valid", axes=0)
        sound = around[half : half + len(block)]
        share_db = 10.0 * np.log10((loud_top(high) + 1e-12) / (loud_all(sound) + 1e-11))
        factor = 10.0 ** (-np.clip(2.0 * (share_db - _SIBILANT_DB), 0.0, db) / 20.0)
        out = np.asarray(sound - high * (1.0 - factor)[:, None], dtype=np.float32)
        yield out[min(skip, len(out)) :]
        skip = max(0, skip - len(out))


def enhance(audio: Audio, amount: Annotated[float, Range(0, 1)] = 0.5) -> Audio:
    """Add presence, air and a little of the harmonics that dull recordings lack.

    amount: 0 nothing to 1 much.
    """
    bands = [
        {"type": "bell", "hz": _PRESENCE_HZ, "db": 2.5 * amount, "q": 0.7},
        {"type": "high_shelf", "hz": _AIR_HZ, "db": 4.0 * amount, "q": 0.7},
    ]
    inside = [band for band in bands if float(band["hz"]) < 0.45 * audio.sample_rate_hz]  # type: ignore[arg-type]
    return eq(_with_harmonics(audio, 0.12 * amount), inside)


def _with_harmonics(audio: Audio, share: float) -> Audio:
    """Second harmonics of a band that ends at a quarter of the rate, where squaring makes no alias; `share` of its level."""
    from scipy.signal import butter

    if share == 0 or 0.2 * audio.sample_rate_hz <= _HARMONICS_FROM_HZ:
        return audio
    last_hz = min(8_000.0, 0.22 * audio.sample_rate_hz)
    band_sections = butter(2, (_HARMONICS_FROM_HZ, last_hz), "band", output="sos", fs=audio.sample_rate_hz)
    high_sections = butter(2, 1.6 * _HARMONICS_FROM_HZ, "high", output="sos", fs=audio.sample_rate_hz)

    def start() -> Change:
        band_filter, high_filter = Filter(band_sections, audio.channels), Filter(high_sections, audio.channels)
        envelope = _Envelope(0.01, 0.05, audio.sample_rate_hz)

        def change(block: Block) -> Block:
            band = band_filter(block)
            level = np.sqrt(envelope(band))[:, None]
            harmonics = high_filter(band * np.abs(band) / (level + 1e-5) + band * band / (level + 1e-5))
            return np.asarray(block + share * harmonics, dtype=np.float32)

        return change

    return mapped(audio, start)


class _Envelope:
    """Mean power over all channels, smoothed; rises within the attack and falls within the release. Shape (frames,)."""

    def __init__(self, attack_s: float, release_s: float, sample_rate_hz: int) -> None:
        self._poles = [math.exp(-1.0 / (length_s * sample_rate_hz)) for length_s in (attack_s, release_s)]
        self._states = [np.zeros(1), np.zeros(1)]

    def __call__(self, block: NDArray[Any]) -> NDArray[np.float64]:
        from scipy.signal import lfilter

        power = np.mean(np.square(block, dtype=np.float64), axis=1)
        out = []
        for number, pole in enumerate(self._poles):
            smooth, self._states[number] = lfilter([1.0 - pole], [1.0, -pole], power, zi=self._states[number])
            out.append(smooth)
        return np.asarray(np.maximum(*out))


def bell(hz: float, db: float, q: float, sample_rate_hz: int) -> NDArray[np.float64]:
    """A peak or dip: R. Bristow-Johnson, "Audio EQ Cookbook", peakingEQ. Shape (6,)."""
    w, alpha, a = _cookbook(hz, db, q, sample_rate_hz)
    c = math.cos(w)
    return _normalised(1 + alpha * a, -2 * c, 1 - alpha * a, 1 + alpha / a, -2 * c, 1 - alpha / a)


def shelf(kind: str, hz: float, db: float, q: float, sample_rate_hz: int) -> NDArray[np.float64]:
    """A low_shelf or high_shelf, half of whose gain is reached at `hz`: the same cookbook. Shape (6,)."""
    w, alpha, a = _cookbook(hz, db, q, sample_rate_hz)
    s = 1.0 if kind == "low_shelf" else -1.0
    c, root = s * math.cos(w), 2 * math.sqrt(a) * alpha
    return _normalised(
        a * ((a + 1) - (a - 1) * c + root),
        s * 2 * a * ((a - 1) - (a + 1) * c),
        a * ((a + 1) - (a - 1) * c - root),
        (a + 1) + (a - 1) * c + root,
        s * -2 * ((a - 1) + (a + 1) * c),
        (a + 1) + (a - 1) * c - root,
    )


def _cookbook(hz: float, db: float, q: float, sample_rate_hz: int) -> tuple[float, float, float]:
    w = 2 * math.pi * hz / sample_rate_hz
    return w, math.sin(w) / (2 * q), db_to_gain(db / 2)


def _normalised(*coefficients: float) -> NDArray[np.float64]:
    return np.array(coefficients) / coefficients[3]


def checked_bands(bands: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Bands with every value present and inside its range. Raises UsageError."""
    out = []
    for band in bands:
        kind = band.get("type", "bell")
        if kind not in BAND_TYPES:
            raise UsageError(f"A band of eq cannot be {kind!r}.", hint=f"Choose one of {', '.join(BAND_TYPES)}.")
        values = {"hz": band.get("hz"), "db": band.get("db"), "q": band.get("q", 0.7)}
        for name, value in values.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise UsageError(f"A band of eq needs a number for {name}, not {value!r}.")
            low, high = _BAND_RANGES[name]
            values[name] = float(min(max(value, low), high))
        out.append({"type": kind, **values})
    return out


def _section(band: Mapping[str, Any], sample_rate_hz: int) -> NDArray[np.float64] | None:
    (checked,) = checked_bands([band])
    kind, hz, db, q = checked["type"], checked["hz"], checked["db"], checked["q"]
    if hz >= 0.48 * sample_rate_hz:
        if kind != "low_shelf":
            return None  # what it would change is not in the file
        hz = 0.48 * sample_rate_hz
    return bell(hz, db, q, sample_rate_hz) if kind == "bell" else shelf(kind, hz, db, q, sample_rate_hz)
