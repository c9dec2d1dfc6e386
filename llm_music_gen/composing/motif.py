"""Carries the opening of one section into another, so that the sections of a song belong together."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from llm_music_gen.composing.harmony import best_triad
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import LeadSection
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.chords import parse_chord
from llm_music_gen.notation.text import parse_section
from llm_music_gen.notation.writer import section_text


def first_bars(text: str, count: int) -> str:
    """The first `count` bars of a section's text, each with its bar line."""
    return "".join(bar + "|" for bar in text.split("|")[:count])


def transposed_motif(text: str, steps: int, key: Key, meter: Meter, unit: Fraction, low_pitch: int, high_pitch: int) -> str:
    """One bar of composer text moved by `steps` of the scale, under a chord of the key that fits it; "" if it cannot be moved.

    Notes outside the scale, ties that lead out of the bar and moves out of the range make it impossible.
    """
    try:
        bar = parse_section(text, label="A", key=key, meter=meter, unit=unit, bars=1)
    except NotationError:
        return ""
    notes = [(note, _moved(note.pitch, steps, key)) for note in bar.notes]
    if not notes or any(pitch is None or not low_pitch <= pitch <= high_pitch for _, pitch in notes):
        return ""
    moved = tuple(replace(note, pitch=pitch) for note, pitch in notes if pitch is not None)
    weights: dict[int, Fraction] = {}
    for note in moved:
        weights[note.pitch % 12] = weights.get(note.pitch % 12, Fraction(0)) + note.duration_ql
    chords = tuple([parse_chord(best_triad(weights, key))] if bar.chords else [])
    try:
        return section_text(LeadSection("A", 1, moved, chords), key, meter, unit)
    except NotationError:
        return ""


def _moved(pitch: int, steps: int, key: Key) -> int | None:
    scale = key.scale_pcs
    if pitch % 12 not in scale:
        return None
    degree = scale.index(pitch % 12) + steps
    octaves, place = divmod(degree, len(scale))
    base = pitch - (pitch - key.tonic_pc) % 12
    return base + 12 * octaves + (scale[place] - key.tonic_pc) % 12
