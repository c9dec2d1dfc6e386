"""Writes MusicXML 4.0: the lead sheet, or the whole band as a score. The same score always gives the same bytes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import Arrangement, ChordSymbol, LeadSheet
from llm_music_gen.notation.band_score import band_parts
from llm_music_gen.notation.engraving import Engraved, engrave
from llm_music_gen.notation.spec import default_unit
from llm_music_gen.notation.spelling import spell, spell_pc
from llm_music_gen.notation.staves import Staff, StaffBar
from llm_music_gen.notation.writer import Element, section_bars

#: Divisions of a quarter note: 256th notes and triplets of 64ths are whole numbers.
DIVISIONS = 192
SOFTWARE = "Llm-Music-Gen"
_DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_KINDS = {
    "": "major", "m": "minor", "7": "dominant", "m7": "minor-seventh", "maj7": "major-seventh", "dim": "diminished",
    "dim7": "diminished-seventh", "m7b5": "half-diminished", "aug": "augmented", "sus4": "suspended-fourth",
    "sus2": "suspended-second", "6": "major-sixth", "m6": "minor-sixth", "9": "dominant-ninth", "m9": "minor-ninth",
    "maj9": "major-ninth", "7sus4": "suspended-fourth", "5": "power",
}  # fmt: skip
_CLEFS = {"treble": ("G", "2"), "bass": ("F", "4"), "percussion": ("percussion", "")}
#: General MIDI drum -> line of a drum staff (step, octave).
_DRUM_LINES = {
    35: "F4", 36: "F4", 37: "C5", 38: "C5", 39: "C5", 40: "C5", 41: "A4", 42: "G5", 43: "A4", 44: "D4", 45: "B4", 46: "G5",
    47: "B4", 48: "D5", 49: "A5", 50: "E5", 51: "F5", 52: "A5", 53: "F5", 54: "E5", 55: "A5", 56: "E5", 57: "A5", 59: "F5",
}  # fmt: skip


def write_musicxml(score: LeadSheet | Arrangement) -> str:
    """A score as MusicXML text. A lead sheet has each section once; an arrangement every part, quantised, one voice a staff.

    Raises NotationError when a melody cannot be engraved.
    """
    staves = [_lead_staff(score)] if isinstance(score, LeadSheet) else band_parts(score)
    return _document(score.title, score.key, score.meter, score.tempo_bpm, staves)


def _lead_staff(sheet: LeadSheet) -> Staff:
    unit = default_unit(sheet.meter)
    bars: list[StaffBar] = []
    tied = False
    for section in sheet.sections:
        for number, elements in enumerate(section_bars(section, sheet.meter, unit)):
            notes = []
            for element in elements:
                notes += _engraved(element, unit, tied)
                tied = element.tied
            double = number == section.bars - 1
            bars.append(StaffBar(tuple(_with_triplet_ends(notes)), section.label if number == 0 else "", double))
    return Staff("Lead", 0, "treble", tuple(bars))


def _engraved(element: Element, unit: Fraction, tie_from: bool) -> list[Engraved]:
    pitches = () if element.pitch is None else (element.pitch,)
    triplet = "start" if element.opens_triplet else "inside" if element.in_triplet else ""
    return engrave(
        element.length * unit * 4, pitches, tie_from=tie_from, tie_to=element.tied, chord=element.chord, triplet=triplet
    )  # fmt: skip


def _with_triplet_ends(notes: list[Engraved]) -> list[Engraved]:
    """Every third note of a triplet closes its bracket."""
    result, count = [], 0
    for note in notes:
        count = count + 1 if note.triplet else 0
        result.append(replace(note, triplet="stop") if count and count % 3 == 0 else note)
    return result


def _document(title: str, key: Key, meter: Meter, tempo_bpm: float, staves: Sequence[Staff]) -> str:
    root = ET.Element("score-partwise", version="4.0")
    _text(ET.SubElement(root, "work"), "work-title", _printable(title))
    identification = ET.SubElement(root, "identification")
    _text(identification, "creator", SOFTWARE).set("type", "composer")
    _text(ET.SubElement(identification, "encoding"), "software", SOFTWARE)
    part_list = ET.SubElement(root, "part-list")
    for number, staff in enumerate(staves, 1):
        _score_part(part_list, number, staff)
    for number, staff in enumerate(staves, 1):
        part = ET.SubElement(root, "part", id=f"P{number}")
        writer = _PartWriter(part, staff, key, meter, tempo_bpm if number == 1 else None)
        writer.write()
    ET.indent(root, " ")
    return _DOCTYPE + ET.tostring(root, encoding="unicode") + "\n"


def _score_part(part_list: ET.Element, number: int, staff: Staff) -> None:
    part = ET.SubElement(part_list, "score-part", id=f"P{number}")
    _text(part, "part-name", _printable(staff.name))
    instrument = f"P{number}-I1"
    _text(ET.SubElement(part, "score-instrument", id=instrument), "instrument-name", _printable(staff.name))
    midi = ET.SubElement(part, "midi-instrument", id=instrument)
    # Channel 10 belongs to the drums.
    channel = 10 if staff.clef == "percussion" else [*range(1, 10), *range(11, 17)][(number - 1) % 15]
    _text(midi, "midi-channel", str(channel))
    _text(midi, "midi-program", str(staff.program + 1))


@dataclass
class _PartWriter:
    """Writes one part, bar by bar."""

    part: ET.Element
    staff: Staff
    key: Key
    meter: Meter
    tempo_bpm: float | None
    sounding: dict[tuple[str, int], int] = field(default_factory=dict)
    """(letter, octave) -> alteration in force in this bar."""

    def write(self) -> None:
        for number, bar in enumerate(self.staff.bars, 1):
            measure = ET.SubElement(self.part, "measure", number=str(number))
            self.sounding = {}
            if number == 1:
                self._attributes(measure)
            if bar.mark:
                kind = ET.SubElement(ET.SubElement(measure, "direction", placement="above"), "direction-type")
                _text(kind, "rehearsal", _printable(bar.mark))
            if number == 1 and self.tempo_bpm is not None:
                self._tempo(measure, self.tempo_bpm)
            for note in bar.notes:
                self._element(measure, note)
            if bar.closes or number == len(self.staff.bars):
                self._bar_line(measure, last=number == len(self.staff.bars))

    def _attributes(self, measure: ET.Element) -> None:
        attributes = ET.SubElement(measure, "attributes")
        _text(attributes, "divisions", str(DIVISIONS))
        key = ET.SubElement(attributes, "key")
        _text(key, "fifths", "0" if self.staff.clef == "percussion" else str(self.key.fifths))
        _text(key, "mode", self.key.mode)
        time = ET.SubElement(attributes, "time")
        _text(time, "beats", str(self.meter.numerator))
        _text(time, "beat-type", str(self.meter.denominator))
        clef, (sign, line) = ET.SubElement(attributes, "clef"), _CLEFS[self.staff.clef]
        _text(clef, "sign", sign)
        if line:
            _text(clef, "line", line)

    def _tempo(self, measure: ET.Element, tempo_bpm: float) -> None:
        direction = ET.SubElement(measure, "direction", placement="above")
        metronome = ET.SubElement(ET.SubElement(direction, "direction-type"), "metronome")
        beat = engrave(self.meter.beat_ql, (), tie_from=False, tie_to=False, chord=None)[0]
        _text(metronome, "beat-unit", beat.note_type)
        for _ in range(beat.dots):
            ET.SubElement(metronome, "beat-unit-dot")
        _text(metronome, "per-minute", f"{tempo_bpm:g}")
        ET.SubElement(direction, "sound", tempo=f"{self.meter.quarter_bpm(tempo_bpm):g}")

    def _bar_line(self, measure: ET.Element, *, last: bool) -> None:
        line = ET.SubElement(measure, "barline", location="right")
        _text(line, "bar-style", "light-heavy" if last else "light-light")

    def _element(self, measure: ET.Element, engraved: Engraved) -> None:
        if engraved.chord:
            _harmony(measure, engraved.chord, self.key)
        for number, pitch in enumerate(engraved.pitches or (None,)):
            note = ET.SubElement(measure, "note")
            if number:
                ET.SubElement(note, "chord")
            accidental = self._pitch(note, pitch, engraved)
            _text(note, "duration", str(int(engraved.duration_ql * DIVISIONS)))
            for kind, on in (("stop", engraved.tie_from), ("start", engraved.tie_to)):
                if on:
                    ET.SubElement(note, "tie", type=kind)
            _text(note, "voice", "1")
            _text(note, "type", engraved.note_type)
            for _ in range(engraved.dots):
                ET.SubElement(note, "dot")
            if accidental:
                _text(note, "accidental", accidental)
            if engraved.triplet:
                ratio = ET.SubElement(note, "time-modification")
                _text(ratio, "actual-notes", "3")
                _text(ratio, "normal-notes", "2")
            self._notations(note, engraved, first=number == 0)

    def _pitch(self, note: ET.Element, pitch: int | None, engraved: Engraved) -> str:
        """Write pitch, drum or rest; returns the accidental to be shown, or ""."""
        if pitch is None:
            whole_bar = engraved.duration_ql == self.meter.bar_ql
            ET.SubElement(note, "rest", {"measure": "yes"} if whole_bar else {})
            return ""
        if self.staff.clef == "percussion":
            line = _DRUM_LINES.get(pitch, "E5")
            unpitched = ET.SubElement(note, "unpitched")
            _text(unpitched, "display-step", line[0])
            _text(unpitched, "display-octave", line[1])
            return ""
        spelled = spell(pitch, self.key)
        element = ET.SubElement(note, "pitch")
        _text(element, "step", spelled.letter)
        if spelled.alter:
            _text(element, "alter", str(spelled.alter))
        _text(element, "octave", str(spelled.octave))
        place = (spelled.letter, spelled.octave)
        if self.sounding.get(place, self.key.signature.get(spelled.letter, 0)) == spelled.alter or engraved.tie_from:
            return ""
        self.sounding[place] = spelled.alter
        return {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}[spelled.alter]

    @staticmethod
    def _notations(note: ET.Element, engraved: Engraved, *, first: bool) -> None:
        bracket = engraved.triplet if first and engraved.triplet in ("start", "stop") else ""
        if not (bracket or engraved.tie_from or engraved.tie_to):
            return
        notations = ET.SubElement(note, "notations")
        for kind, on in (("stop", engraved.tie_from), ("start", engraved.tie_to)):
            if on:
                ET.SubElement(notations, "tied", type=kind)
        if bracket:
            ET.SubElement(notations, "tuplet", type=bracket)


def _harmony(measure: ET.Element, chord: ChordSymbol, key: Key) -> None:
    harmony = ET.SubElement(measure, "harmony")
    _named_pitch(ET.SubElement(harmony, "root"), "root", spell_pc(chord.root_pc, key))
    _text(harmony, "kind", _KINDS[chord.quality]).set("text", chord.quality)
    if chord.bass_pc is not None:
        _named_pitch(ET.SubElement(harmony, "bass"), "bass", spell_pc(chord.bass_pc, key))
    if chord.quality == "7sus4":
        degree = ET.SubElement(harmony, "degree")
        for name, value in (("value", "7"), ("alter", "-1"), ("type", "add")):
            _text(degree, f"degree-{name}", value)


def _named_pitch(element: ET.Element, prefix: str, name: str) -> None:
    _text(element, f"{prefix}-step", name[0])
    if len(name) > 1:
        _text(element, f"{prefix}-alter", str(name.count("#") - name.count("b")))


def _text(parent: ET.Element, tag: str, text: str) -> ET.Element:
    element = ET.SubElement(parent, tag)
    element.text = text
    return element


def _printable(text: str) -> str:
    """Text without the control characters that XML forbids."""
    return "".join(character if character.isprintable() else " " for character in text).strip()
