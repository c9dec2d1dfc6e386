"""Lets the last bar of a section come to rest: its closing tonic sounds long enough to be heard as an ending."""

from __future__ import annotations

from fractions import Fraction

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import LeadSection, Note
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.text import parse_section
from llm_music_gen.notation.writer import section_text


def settled(text: str, key: Key, meter: Meter, unit: Fraction) -> str:
    """Composer text whose last note, a tonic, lasts at least a beat. Where it is shorter, it takes the second half of the bar.

    The notes of the first half stay as they were written. Text that cannot be changed that way comes back as it is.
    """
    head, _, last = text.rstrip("|").rpartition("|")
    try:
        bar = parse_section(last + "|", label="A", key=key, meter=meter, unit=unit, bars=1)
        notes = _at_rest(bar.notes, key, meter)
        if notes is None:
            return text
        line = section_text(
            LeadSection("A", 1, notes, tuple(chord for chord in bar.chords if not chord.onset_ql)), key, meter, unit
        )
    except NotationError:
        return text
    return f"{head}|{line}" if head else line


def _at_rest(notes: tuple[Note, ...], key: Key, meter: Meter) -> tuple[Note, ...] | None:
    """The bar's notes with a long closing tonic, or None where they may stay as they are."""
    if not notes or notes[-1].pitch % 12 != key.tonic_pc or notes[-1].duration_ql >= meter.beat_ql:
        return None
    start = meter.beat_ql * (meter.beats_per_bar // 2)
    kept = [note for note in notes if note.onset_ql + note.duration_ql <= start]
    held_from = kept[-1].onset_ql + kept[-1].duration_ql if kept else Fraction(0)
    final = notes[-1].pitch
    if kept:  # the tonic in the octave that is nearest to where the line stands
        final = min((final - 12, final, final + 12), key=lambda pitch: (abs(pitch - kept[-1].pitch), pitch != final))
        if not 57 <= final <= 84:
            final = notes[-1].pitch
    return (*kept, Note(held_from, meter.bar_ql - held_from, final))
