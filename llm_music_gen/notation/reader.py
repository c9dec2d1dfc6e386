"""Reads any ABC, the user's own or a model's, as a lead sheet: the first voice's melody with its chord symbols.

Grace notes, ornaments and slurs are dropped, broken rhythm is spelled out, repeats and endings are played, the top note of a
chord is kept. A pickup becomes a bar of its own that begins with a rest; short bars that belong together are joined; a bar that
is too short or too long is filled up to whole bars.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import ChordSymbol, LeadSection, LeadSheet, Note
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.abc_tune import AbcTune, Measure, read_tune
from llm_music_gen.notation.chords import parse_chord
from llm_music_gen.notation.repeats import MAX_PLAYED_BARS, played

DEFAULT_TEMPO_BPM = 110.0


def read_abc(abc: str) -> LeadSheet:
    """The first tune of a text as a lead sheet; sections that sound alike share a label, and the order names them as heard.

    Raises NotationError when there is no note in it, or as `read_tune` does.
    """
    tune = read_tune(abc)
    voice = next((measures for measures in tune.voices.values() if any(e.pitches for m in measures for e in m.events)), None)
    if voice is None:
        raise NotationError("There are no notes in this ABC.", hint="Write at least one bar, for example: K:C and then CDEF|.")
    meter = tune.meter or Meter(4, 4)
    sections: dict[str, LeadSection] = {}
    order: list[str] = []
    bars = 0
    for strain in _strains(voice, meter):
        section = strain.section("")
        bars += section.bars
        if bars > MAX_PLAYED_BARS:  # single notes can be thousands of bars long
            raise NotationError(f"The tune lasts more than {MAX_PLAYED_BARS:,} bars.", hint="Cut it shorter.")
        label = next((known.label for known in sections.values() if _same(known, section)), "") or _label(len(sections))
        sections.setdefault(label, LeadSection(label, section.bars, section.notes, section.chords))
        order.append(label)
    if not any(section.notes for section in sections.values()):
        raise NotationError("No note of this ABC is ever played.", hint="Number the endings of a repeat from 1.")
    return LeadSheet(tune.title, tune.key, meter, _tempo(tune, meter), tuple(sections.values()), tuple(order))


def _tempo(tune: AbcTune, meter: Meter) -> float:
    if tune.quarter_bpm is None:
        return DEFAULT_TEMPO_BPM
    return min(400.0, max(20.0, tune.quarter_bpm / float(meter.beat_ql)))


def _label(number: int) -> str:
    rounds, index = divmod(number, 26)
    return string.ascii_uppercase[index] + (str(rounds + 1) if rounds else "")


def _same(one: LeadSection, other: LeadSection) -> bool:
    return (one.bars, one.notes, one.chords) == (other.bars, other.notes, other.chords)


@dataclass
class _Strain:
    """Bars heard between two seams of the form."""

    bar_ql: Fraction
    length_ql: Fraction = Fraction(0)
    notes: list[Note] = field(default_factory=list)
    chords: list[ChordSymbol] = field(default_factory=list)
    tied: bool = False

    def add(self, measure: Measure) -> None:
        """Append what a measure holds."""
        for onset_ql, text in measure.symbols:
            self._add_symbol(self.length_ql + onset_ql, text)
        for event in measure.events:
            if event.pitches:
                self._add_note(self.length_ql + event.onset_ql, event.duration_ql, max(event.pitches))
            self.tied = event.tied
        self.length_ql += measure.length_ql

    def _add_symbol(self, onset_ql: Fraction, text: str) -> None:
        # Text that begins with one of these is a remark, not a chord symbol.
        if text[:1] in ("^", "_", "<", ">", "@"):
            return
        try:
            chord = parse_chord(text, onset_ql)
        except NotationError:
            return
        if self.chords and self.chords[-1].onset_ql == onset_ql:
            self.chords.pop()
        self.chords.append(chord)

    def _add_note(self, onset_ql: Fraction, duration_ql: Fraction, pitch: int) -> None:
        last = self.notes[-1] if self.notes else None
        if not 0 <= pitch <= 127:
            raise NotationError("A note lies outside the range of MIDI.", hint="Take away octave marks.")
        if self.tied and last and last.pitch == pitch and last.onset_ql + last.duration_ql == onset_ql:
            self.notes[-1] = Note(last.onset_ql, last.duration_ql + duration_ql, pitch)
        else:
            self.notes.append(Note(onset_ql, duration_ql, pitch))

    @property
    def begun_ql(self) -> Fraction:
        """How much of a bar stands already after the last bar line."""
        return self.length_ql % self.bar_ql

    def fill_bar(self) -> None:
        """Add a rest up to the next bar line."""
        self.length_ql += -self.begun_ql % self.bar_ql

    def section(self, label: str) -> LeadSection:
        """The strain as whole bars."""
        bars = -(-self.length_ql // self.bar_ql)
        chords = tuple(chord for chord in self.chords if chord.onset_ql < bars * self.bar_ql)
        return LeadSection(label, int(bars), tuple(self.notes), chords)


def _strains(voice: list[Measure], meter: Meter) -> Iterator[_Strain]:
    """Cut the played measures where a repeat or part begins: at the bar line there, or at the next one after a pickup."""
    order = played(voice)
    strain, seam = _Strain(meter.bar_ql), False
    for place, index in enumerate(order):
        measure = voice[index]
        if place:
            before = order[place - 1]
            seam = seam or index != before + 1 or voice[before].closes_repeat or measure.opens_repeat or bool(measure.part)
        if strain.begun_ql + measure.length_ql > meter.bar_ql:
            strain.fill_bar()
        if seam and strain.length_ql and not strain.begun_ql:
            yield strain
            strain, seam = _Strain(meter.bar_ql), False
        if not place and measure.length_ql < meter.bar_ql and len(order) > 1:
            strain.length_ql, seam = meter.bar_ql - measure.length_ql, True
        strain.add(measure)
    if strain.length_ql:
        strain.fill_bar()
        yield strain
