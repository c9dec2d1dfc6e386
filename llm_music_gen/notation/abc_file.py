"""Writes the lead sheet as a proper ABC 2.1 file, for people and other programs."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import LeadSection, LeadSheet
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.engraving import engrave
from llm_music_gen.notation.lengths import is_plain
from llm_music_gen.notation.spec import UNITS, default_unit
from llm_music_gen.notation.writer import Element, bar_text, section_bars

BARS_PER_LINE = 4
COMPOSER = "Llm-Music-Gen"
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


def write_abc(sheet: LeadSheet, *, unit: Fraction | None = None, composer: str = COMPOSER) -> str:
    """The lead sheet as ABC: head, order of the parts, each section once, `||` between sections and `|]` at the end.

    `unit` is the `L:` field; by default the one that suits the metre and the rhythm. Raises NotationError when a melody cannot
    be written (several voices, quintuplets).
    """
    unit = unit or _fitting_unit(sheet)
    lines = [
        "%abc-2.1",
        "X:1",
        f"T:{_field(sheet.title) or 'Untitled'}",
        f"C:{_field(composer)}",
        f"M:{sheet.meter}",
        f"L:{unit}",
    ]
    lines.append(f"Q:{tempo_field(sheet.meter, sheet.tempo_bpm)}")
    order = sheet.order or tuple(section.label for section in sheet.sections)
    if all(re.fullmatch("[A-Z]", label) for label in order):
        lines.append(f"P:{''.join(order)}")
    lines.append(f"K:{sheet.key.abc()}")
    for number, section in enumerate(sheet.sections):
        end = "|]" if number == len(sheet.sections) - 1 else "||"
        lines += [f"P:{_field(section.label)}", *_section_lines(section, sheet.key, sheet.meter, unit, end)]
    return "\n".join(lines) + "\n"


def tempo_field(meter: Meter, tempo_bpm: float) -> str:
    """A `Q:` field that counts the metre's beat: "1/4=120", "3/8=90"."""
    return f"{meter.beat_ql / 4}={tempo_bpm:g}"


def _fitting_unit(sheet: LeadSheet) -> Fraction:
    """The usual unit of the metre, or a shorter one where the rhythm needs it."""
    usual = default_unit(sheet.meter)
    for unit in (usual, *(other for other in UNITS if other < usual)):
        ends = (note.onset_ql + note.duration_ql for section in sheet.sections for note in section.notes)
        if all(is_plain(end * 3 / (unit * 4)) for end in ends):
            return unit
    raise NotationError("The rhythm is too fine to be written as ABC.", hint="Quantise it first.")


def _section_lines(section: LeadSection, key: Key, meter: Meter, unit: Fraction, end: str) -> list[str]:
    # Major ninths are written M9, which every program knows; some do not know maj9.
    bars = [_beamed(bar, key, meter, unit).replace("maj9", "M9") for bar in section_bars(section, meter, unit)]
    lines = ["|".join(bars[first : first + BARS_PER_LINE]) + "|" for first in range(0, len(bars), BARS_PER_LINE)]
    return [*lines[:-1], lines[-1][:-1] + end]


def _beamed(bar: list[Element], key: Key, meter: Meter, unit: Fraction) -> str:
    """A bar with a space at every beat, so that notes are beamed in beats."""
    beat, accidentals, text = meter.beat_ql / (unit * 4), dict[str, int](), ""
    start = bar[0].onset
    for element in (piece for whole in bar for piece in _note_values(whole, unit)):
        inside_triplet = element.in_triplet and not element.opens_triplet
        if element.onset > start and not inside_triplet and (element.onset - start) % beat == 0:
            text += " "
        text += bar_text([element], key, accidentals)
    return text


def _note_values(element: Element, unit: Fraction) -> list[Element]:
    """An element as tied pieces that are each one note on paper, plain or dotted: no program reads 5/8 of a bar alike."""
    if element.in_triplet:
        return [element]
    pieces, onset, tie_to = [], element.onset, element.tied
    for engraved in engrave(element.length * unit * 4, (), tie_from=False, tie_to=False, chord=None):
        length = engraved.duration_ql / (unit * 4)
        pieces.append(replace(element, onset=onset, length=length, tied=element.pitch is not None))
        onset += length
    chorded = [replace(piece, chord=element.chord if number == 0 else None) for number, piece in enumerate(pieces)]
    return [*chorded[:-1], replace(chorded[-1], tied=tie_to)]


def _field(text: str) -> str:
    """Text that stays inside its field: one line, no comment sign, of a bearable length."""
    return _UNSAFE.sub(" ", text).replace("\\", "/").replace("%", "\\%").strip()[:200]
