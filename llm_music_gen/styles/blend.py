"""Mixes several styles on purpose: one owns the groove and form, one the harmony and the sound; numbers meet in between.

In "Chill, Dubstep" the last word is the noun and owns groove, tempo and form; the first is the adjective and owns harmony, melody
and sound. Tempi that do not meet are compared at half, double and one and a half times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from llm_music_gen.errors import StyleError
from llm_music_gen.styles.style import Harmony, Humanize, Mix, Style

#: How much of the numbers is the groove owner's.
GROOVE_WEIGHT = 0.6
_RATIOS = (1.0, 2.0, 0.5, 1.5, 2 / 3)
#: Tempi closer than this meet in the middle; others keep the groove owner's.
_NEAR = 0.06
_LEVELS = ("power", "triads", "sus", "sevenths", "ninths")


def blend(styles: Sequence[Style]) -> Style:
    """One style from several; a single one is returned as it is. Raises StyleError for none."""
    if not styles:
        raise StyleError("There is no style to blend.", hint='Name at least one, for example "chill".')
    distinct = list({style.name: style for style in styles}.values())
    blended = distinct[0]
    for style in distinct[1:]:
        blended = _blend_two(blended, style)
    return blended


def _blend_two(sound: Style, groove: Style) -> Style:
    tempo, tempo_note = _tempo(sound, groove)
    ratio = tempo[2] / sound.tempo_default_bpm
    lead = sound.lead
    if ratio > 1.35:
        # The grid runs faster than the tune's owner walks: notes take twice as many steps and so keep their pace.
        lead = lead.model_copy(update={"augment": min(4, 2 * lead.augment)})
    no_drums = not sound.has_drums and groove.has_drums
    notes = (
        *sound.notes,
        f"Groove, tempo and form come from {groove.name}; harmony, melody and sound from {sound.name}.",
        tempo_note,
        f"The bass is the {groove.name} one, so both can be recognised.",
    )
    values: dict[str, Any] = {
        "name": f"{sound.name}, {groove.name}",
        "aliases": (),
        "words": (*sound.words, *groove.words),
        "pulse": groove.pulse,
        "family": groove.family,
        "tempo_min_bpm": tempo[0], "tempo_max_bpm": tempo[1], "tempo_default_bpm": tempo[2],
        "half_time": groove.half_time,
        "meters": _weights(groove.meters, {name: weight for name, weight in sound.meters.items() if name in groove.meters}),
        "modes": _weights(sound.modes, groove.modes),
        "tonics": sound.tonics or groove.tonics,
        "density": _mean(sound.density, groove.density) * (0.85 if ratio > 1.35 else 1.0),
        "swing_8": _mean(sound.swing_8, groove.swing_8),
        "swing_16": _mean(sound.swing_16, groove.swing_16),
        "grooves": groove.grooves,
        "bass": groove.bass,
        "comp": sound.comp if _same_steps(sound, groove) else groove.comp.model_copy(
            update={"compass": sound.comp.compass, "voicings": sound.comp.voicings, "voices": sound.comp.voices}
        ),
        "harmony": _harmony(sound, groove, ratio),
        "lead": lead,
        "instruments": _instruments(sound, groove),
        "form": groove.form,
        "humanize": _humanize(sound.humanize, groove.humanize),
        "mix": _mix(sound.mix, groove.mix, drums_back=no_drums or sound.family == "ambient"),
        "spectrum": groove.spectrum.model_copy(
            update={
                "tilt_db_per_octave": _mean(sound.spectrum.tilt_db_per_octave, groove.spectrum.tilt_db_per_octave),
                "low_percent": _mean(sound.spectrum.low_percent, groove.spectrum.low_percent),
            }
        ),
        "notes": notes,
    }  # fmt: skip
    return groove.model_copy(update=values)


def _tempo(sound: Style, groove: Style) -> tuple[tuple[float, float, float], str]:
    """(min, max, default) and a sentence about how it came about."""
    own, other = groove.tempo_default_bpm, sound.tempo_default_bpm
    ratio = min(_RATIOS, key=lambda r: (abs(math.log2(other * r / own)), r != 1.0))
    distance = abs(other * ratio / own - 1.0)
    if distance < _NEAR:
        meeting = own**GROOVE_WEIGHT * (other * ratio) ** (1 - GROOVE_WEIGHT)
        how = "as it is" if ratio == 1.0 else f"at {ratio:.2g} times its tempo"
        note = f"{sound.name} {how} and {groove.name} meet at {meeting:.0f} BPM."
    else:
        meeting = own * 0.97 if other * ratio < own else own * 1.03
        note = f"{groove.name} keeps nearly its tempo at {meeting:.0f} BPM, which {sound.name} takes at its own pace."
    low = min(meeting, (groove.tempo_min_bpm + meeting) / 2)
    high = max(meeting, (groove.tempo_max_bpm + meeting) / 2)
    return (round(low, 1), round(high, 1), round(min(max(meeting, low), high), 1)), note


def _mean(sound: float, groove: float) -> float:
    return (1 - GROOVE_WEIGHT) * sound + GROOVE_WEIGHT * groove


def _weights(first: dict[str, float], second: dict[str, float]) -> dict[str, float]:
    total_first, total_second = sum(first.values()), sum(second.values()) or 1.0
    merged = {name: 0.65 * weight / total_first for name, weight in first.items()}
    for name, weight in second.items():
        merged[name] = merged.get(name, 0.0) + 0.35 * weight / total_second
    return merged


def _same_steps(sound: Style, groove: Style) -> bool:
    return (sound.grooves.grid == "g12t") == (groove.grooves.grid == "g12t")


def _harmony(sound: Style, groove: Style, ratio: float) -> Harmony:
    level = sound.harmony.level
    if groove.harmony.level == "power" and level in ("sevenths", "ninths"):
        level = "sevenths"
    slower = sound.harmony.chords_per_bar * (0.5 if ratio > 1.35 else 1.0)
    return sound.harmony.model_copy(
        update={
            "level": level,
            "chords_per_bar": max(0.125, min(slower, 2.0)),
            "pedal": _mean(sound.harmony.pedal, groove.harmony.pedal),
        }
    )


def _instruments(sound: Style, groove: Style) -> dict[Any, Any]:
    merged: dict[Any, Any] = dict(sound.instruments)
    for role in ("bass", "sub"):
        merged.pop(role, None)
        if role in groove.instruments:
            merged[role] = groove.instruments[role]
    for role, sounds in groove.instruments.items():
        merged.setdefault(role, sounds)
    return merged


def _humanize(sound: Humanize, groove: Humanize) -> Humanize:
    return groove.model_copy(
        update={
            "jitter_ms": _mean(sound.jitter_ms, groove.jitter_ms),
            "velocity": _mean(sound.velocity, groove.velocity),
            "backbeat_ms": _mean(sound.backbeat_ms, groove.backbeat_ms),
            "offset_ms": {
                role: _mean(sound.offset_ms.get(role, 0.0), groove.offset_ms.get(role, 0.0))
                for role in {**sound.offset_ms, **groove.offset_ms}
            },
        }
    )


def _mix(sound: Mix, groove: Mix, *, drums_back: bool) -> Mix:
    def roles(name: str, default: float) -> dict[Any, float]:
        first, second = getattr(sound, name), getattr(groove, name)
        return {role: _mean(first.get(role, default), second.get(role, default)) for role in {**first, **second}}

    numbers = (
        "room_size", "damping", "reverb_gain_db", "delay_ql", "delay_feedback", "delay_gain_db", "sidechain_db",
        "sidechain_release_s", "tilt_db", "glue",
    )  # fmt: skip
    update: dict[str, Any] = {name: _mean(getattr(sound, name), getattr(groove, name)) for name in numbers}
    update |= {"levels_db": roles("levels_db", -6.0), "reverb": roles("reverb", 0.2), "chorus": roles("chorus", 0.0)}
    update |= {"pan": {**groove.pan, **sound.pan}, "highpass_hz": {**groove.highpass_hz, **sound.highpass_hz}}
    cuts: dict[Any, float] = {**groove.lowpass_hz}
    cuts.update({role: hz for role, hz in sound.lowpass_hz.items() if role not in ("bass", "sub")})
    update["lowpass_hz"] = cuts
    # Who comes from the groove's sheet is as loud as there: levels belong to what is played.
    update["levels_db"] |= {role: groove.levels_db[role] for role in ("drums", "bass", "sub") if role in groove.levels_db}
    if drums_back:
        update["levels_db"]["drums"] = update["levels_db"].get("drums", 0.0) - 5.0
    return sound.model_copy(update=update)
