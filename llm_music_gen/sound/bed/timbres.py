"""Voices that can be held for minutes: what partials a pitch has when a pad, a choir, glass, a bowl or the drone plays it.

Every one has its strongest partial exactly on its pitch, and whatever beats does so in mirrored pairs around it: the centre is
never detuned. Movement comes from loudness alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from llm_music_gen.domain.long_form import HeldTone
from llm_music_gen.errors import SoundError
from llm_music_gen.sound.bed.field import Partial, Tone
from llm_music_gen.units import SAMPLE_RATE_HZ, db_to_gain

Timbre = Callable[[float, HeldTone], list[Partial]]
"""(frequency in Hz, the tone) -> partials; 0 dB is a fundamental of amplitude 1."""

#: Flexural modes of a metal bowl, as ratios, with their level when struck softly and how fast they fade (see A.6 of bowl models
#: after Inacio, Henrique and Antunes, Acta Acustica 92, 2006).
_BOWL = ((1.0, 0.0, 1.0), (2.778, -9.0, 0.42), (5.181, -20.0, 0.22), (8.163, -30.0, 0.13))
_PAIR_DB = -9.0
_FORMANTS_HZ = ((450.0, 130.0, 0.0), (800.0, 160.0, -4.0), (2_830.0, 260.0, -16.0))


def held(tone: HeldTone) -> Tone:
    """A tone of the score as partials. Raises SoundError for a voice that does not exist."""
    if tone.voice not in TIMBRES:
        raise SoundError(f"There is no held voice {tone.voice!r}.", hint=f"Known voices: {', '.join(sorted(TIMBRES))}.")
    return Tone(
        round(tone.onset_s * SAMPLE_RATE_HZ), round(tone.attack_s * SAMPLE_RATE_HZ), round(tone.length_s * SAMPLE_RATE_HZ),
        round(tone.release_s * SAMPLE_RATE_HZ), tuple(TIMBRES[tone.voice](tone.frequency_hz, tone)),
    )  # fmt: skip


def _pad(frequency_hz: float, tone: HeldTone) -> list[Partial]:
    """Warm: harmonics falling by 8 dB an octave under a soft low-pass, each swaying at its own pace."""
    return _harmonics(
        frequency_hz, tone, 12, lambda hz, number: -8.0 * math.log2(number) - _above(hz, tone.brightness_hz, 10.0), 0.35
    )


def _choir(frequency_hz: float, tone: HeldTone) -> list[Partial]:
    """An "oo" that opens towards "ah": harmonics under three formants."""

    def level_db(hz: float, number: int) -> float:
        formant = sum(db_to_gain(gain) / (1.0 + ((hz - centre) / (2.2 * width)) ** 2) for centre, width, gain in _FORMANTS_HZ)
        # The fundamental stays on top: it is the pitch that was promised.
        return (
            0.0
            if number == 1
            else max(-60.0, -5.0 + 20.0 * math.log10(formant + 1e-4)) - _above(hz, 1.4 * tone.brightness_hz, 8.0)
        )

    return _harmonics(frequency_hz, tone, 10, level_db, 0.28)


def _glass(frequency_hz: float, tone: HeldTone) -> list[Partial]:
    """A crystal bowl that is rubbed: almost a sine, with a little octave and two faint modes of the glass."""
    left, right = _sides(tone)
    return [
        Partial(frequency_hz * ratio, gain * left, gain * right, 0.0, sway, 5.0 + 3.1 * ratio)
        for ratio, gain, sway in (
            (1.0, db_to_gain(tone.level_db + 2.0), 0.12), (2.0, db_to_gain(tone.level_db - 17.0), 0.3),
            (2.83, db_to_gain(tone.level_db - 27.0), 0.6), (5.42, db_to_gain(tone.level_db - 38.0), 0.6),
        )
    ]  # fmt: skip


def _bowl(frequency_hz: float, tone: HeldTone) -> list[Partial]:
    """A singing bowl: modes of a ring, each with a mirrored pair beside it that makes it beat around its exact centre."""
    left, right = _sides(tone)
    ring_s = max(8.0, 0.9 * tone.length_s)
    partials = []
    for ratio, level, share in _BOWL:
        hz = frequency_hz * ratio
        gain = db_to_gain(tone.level_db + level - _above(hz, tone.brightness_hz, 9.0))
        beat_hz = 0.35 + 0.25 * math.sqrt(ratio) + 0.0004 * frequency_hz
        partials.append(Partial(hz, gain * left, gain * right, ring_s * share))
        pair = gain * db_to_gain(_PAIR_DB)
        # The partner below leans to the left and the one above to the right: the beat moves, the middle does not.
        partials.append(Partial(hz - beat_hz, pair * left * 1.2, pair * right * 0.8, ring_s * share))
        partials.append(Partial(hz + beat_hz, pair * left * 0.8, pair * right * 1.2, ring_s * share))
    return partials


def _drone(frequency_hz: float, tone: HeldTone) -> list[Partial]:
    """Deep and steady: eight harmonics whose upper ones breathe."""
    return _harmonics(
        frequency_hz, tone, 8, lambda hz, number: -7.0 * math.log2(number) - _above(hz, tone.brightness_hz, 12.0), 0.3
    )


TIMBRES: dict[str, Timbre] = {"pad": _pad, "choir": _choir, "glass": _glass, "bowl": _bowl, "drone": _drone}


def _harmonics(
    frequency_hz: float, tone: HeldTone, count: int, level_db: Callable[[float, int], float], sway: float
) -> list[Partial]:
    left, right = _sides(tone)
    partials = []
    for number in range(1, count + 1):
        hz = frequency_hz * number
        gain = db_to_gain(tone.level_db + level_db(hz, number))
        if gain < 3e-6:
            continue
        # The fundamental hardly moves; upper harmonics come and go, each slower than the last.
        moving = 0.08 if number == 1 else sway
        partials.append(Partial(hz, gain * left, gain * right, 0.0, moving, 9.0 + 2.3 * number + 0.011 * (frequency_hz % 97.0)))
    return partials


def _above(hz: float, corner_hz: float, db_per_octave: float) -> float:
    """How far a partial over the corner is turned down, in dB."""
    return max(0.0, db_per_octave * math.log2(hz / corner_hz)) if hz > corner_hz else 0.0


def _sides(tone: HeldTone) -> tuple[float, float]:
    """Equal-power gains, unity in the middle."""
    angle = (min(1.0, max(-1.0, tone.pan)) + 1.0) * math.pi / 4
    return math.sqrt(2.0) * math.cos(angle), math.sqrt(2.0) * math.sin(angle)
