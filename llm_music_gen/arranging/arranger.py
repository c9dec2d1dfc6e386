"""The arranger: gives every role its notes, an instrument, a place in the mix, and hands over the whole band."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llm_music_gen.arranging.bass import bass_line
from llm_music_gen.arranging.comping import arpeggio_part, chord_part, pad_part, voicings
from llm_music_gen.arranging.counter import counter_line
from llm_music_gen.arranging.drums import drum_part
from llm_music_gen.arranging.effects import effect_notes
from llm_music_gen.arranging.ending import final_length_ql, final_notes
from llm_music_gen.arranging.harmony import with_chords
from llm_music_gen.arranging.humanize import performed
from llm_music_gen.arranging.melody import sung
from llm_music_gen.arranging.played import GridNote
from llm_music_gen.arranging.timeline import bars_of
from llm_music_gen.domain.score import Arrangement, LeadSheet, Marker, Part, PlayedNote
from llm_music_gen.domain.theme import Theme
from llm_music_gen.errors import StyleError
from llm_music_gen.styles import Instrument, Style, instrument_named
from llm_music_gen.units import SAMPLE_RATE_HZ, seconds_to_ql

#: Roles in the order of the score, with the name that a part has where its instrument's will not do.
_ORDER = ("melody", "counter", "chords", "pad", "arp", "bass", "sub", "drums", "fx")
_LEVELS_DB = {
    "melody": 0.0,
    "counter": -6.0,
    "chords": -5.0,
    "pad": -8.0,
    "arp": -8.0,
    "bass": -2.0,
    "sub": -4.0,
    "drums": -1.0,
    "fx": -9.0,
}
_REVERB = {
    "melody": 0.3,
    "counter": 0.35,
    "chords": 0.25,
    "pad": 0.4,
    "arp": 0.3,
    "bass": 0.03,
    "sub": 0.0,
    "drums": 0.12,
    "fx": 0.3,
}


def arrange(theme: Theme, tune: LeadSheet, style: Style, rng: np.random.Generator) -> Arrangement:
    """What the band plays. The same theme, tune, style and generator state give the same arrangement."""
    meter = theme.meter
    quarter_bpm = meter.quarter_bpm(theme.tempo_bpm)
    bars = with_chords(bars_of(theme), theme, tune, style)
    voiced_bars = voicings(bars, style)
    melody = sung(bars, theme, tune, style, rng)
    grid: dict[str, list[GridNote]] = {
        "melody": [GridNote(note.onset_ql, note.duration_ql, note.pitch, round(66 + 34 * note.weight)) for note in melody],
        "counter": counter_line(bars, melody, style),
        "chords": chord_part(bars, voiced_bars, style, rng),
        "pad": pad_part(bars, voiced_bars, style),
        "arp": arpeggio_part(bars, voiced_bars, style, rng),
        "bass": bass_line(bars, theme.key, style, rng),
        "sub": bass_line(bars, theme.key, style, rng, "sub"),
        "drums": drum_part(bars, style, rng),
        "fx": effect_notes(bars, theme, style),
    }
    last = bars[-1]
    held = final_length_ql(last, theme.length_frames, quarter_bpm)
    bass_near = grid["bass"][-1].pitch if grid["bass"] else sum(style.bass.compass) // 2
    closing = final_notes(last, theme.key, style, voiced_bars[-1][-1][2], melody, bass_near, held)
    end_ql = seconds_to_ql(theme.length_frames / SAMPLE_RATE_HZ, quarter_bpm) - 0.02
    parts: list[Part] = []
    for role, instrument in _band(theme, style, grid, rng).items():
        notes = grid[role] + closing.get(role, [])
        if not style.has_drums and role == "drums":
            continue
        played = performed(notes, role, style, quarter_bpm, end_ql, rng)
        if played:
            parts.append(_part(role, instrument, played, style, [part.name for part in parts]))
    return Arrangement(
        title=theme.title,
        key=theme.key,
        meter=meter,
        tempo_bpm=theme.tempo_bpm,
        parts=tuple(parts),
        length_frames=theme.length_frames,
        markers=tuple(Marker(float(bar.onset_ql), f"{bar.plan.role} {bar.plan.label}") for bar in bars if bar.in_section == 0),
        mix=style.mix.as_settings(),
    )


def _band(theme: Theme, style: Style, grid: dict[str, list[GridNote]], rng: np.random.Generator) -> dict[str, Instrument]:
    """Who plays what: the style's own sounds, those that were asked for first, nobody who was unwanted.

    Melody, chords, bass and one more voice are always there, unless they are unwanted themselves.
    """
    unwanted = {word.lower().removesuffix("s") for word in theme.without}
    band: dict[str, Instrument] = {}
    for role in _ORDER:
        choices: Sequence[Instrument] = style.instruments.get(role, ())  # type: ignore[call-overload]
        if role == "drums":
            choices = choices or ((Instrument("Drums", style.grooves.kit),) if style.has_drums else ())
        choices = [choice for choice in choices if choice.name.lower().removesuffix("s") not in unwanted]
        if role in unwanted or not choices or not (grid[role] or role in ("melody", "chords", "bass")):
            continue
        ranked = min(len(choices), 2 if rng.random() < 0.75 else len(choices))
        band[role] = choices[int(rng.integers(0, ranked))]
    if not {"counter", "pad", "arp"} & set(band):
        extra = next((role for role in ("pad", "counter") if role not in unwanted and grid[role]), None)
        if extra is not None:
            band[extra] = instrument_named("strings" if extra == "pad" else "flute")
    band = _given(band, theme.instruments, unwanted)
    return {role: band[role] for role in _ORDER if role in band}


def _given(band: dict[str, Instrument], names: Sequence[str], unwanted: set[str]) -> dict[str, Instrument]:
    """The band with the instruments that were asked for where they belong: basses, pads, then tune, chords, countermelody."""
    out = dict(band)
    free = [role for role in ("melody", "chords", "counter") if role not in unwanted and role in band]
    for name in names:
        try:
            instrument = instrument_named(name)
        except StyleError:
            continue  # the plan has told the user already
        if not instrument.voice and 32 <= instrument.program <= 39:
            out["bass"] = instrument
        elif instrument.voice == "pad" or 88 <= instrument.program <= 95:
            out["pad"] = instrument
        elif free:
            out[free.pop(0)] = instrument
    return out


def _part(role: str, instrument: Instrument, notes: tuple[PlayedNote, ...], style: Style, names: list[str]) -> Part:
    is_drums = role == "drums"
    name = "Drums" if is_drums else instrument.name.capitalize()
    if name in names:
        name = f"{name} ({role})"
    mix = style.mix
    return Part(
        name=name,
        role=role,
        program=style.grooves.kit if is_drums else instrument.program,
        notes=notes,
        is_drums=is_drums,
        voice="" if is_drums else instrument.voice,
        gain_db=mix.levels_db.get(role, _LEVELS_DB[role]),  # type: ignore[call-overload]
        pan=mix.pan.get(role, 0.0),  # type: ignore[call-overload]
        reverb_send=mix.reverb.get(role, _REVERB[role]),  # type: ignore[call-overload]
        chorus_send=mix.chorus.get(role, 0.0),  # type: ignore[call-overload]
    )
