"""Hypothesis strategies for keys, metres and random well-formed sections."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from llm_music_gen.domain.key import MODES, Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import ChordSymbol, LeadSection, Note
from llm_music_gen.notation.chords import QUALITIES

METERS = ("4/4", "3/4", "2/4", "6/8", "9/8", "12/8", "5/4", "7/8", "3/2", "2/2")
UNITS = (Fraction(1, 4), Fraction(1, 8), Fraction(1, 16))

keys = st.builds(Key.from_pc, st.integers(0, 11), st.sampled_from(sorted(MODES)))
meters = st.sampled_from(METERS).map(Meter.parse)
units = st.sampled_from(UNITS)
chord_symbols = st.builds(
    ChordSymbol,
    st.just(Fraction(0)),
    st.integers(0, 11),
    st.sampled_from(sorted(QUALITIES)),
    st.none(),
)


@st.composite
def sections(draw: st.DrawFn, meter: Meter, unit: Fraction) -> LeadSection:
    """A section of plain notes, triplets, rests, notes across bar lines, and chord symbols at note onsets."""
    bars = draw(st.integers(1, 4))
    end_ql, grain_ql = meter.bar_ql * bars, unit  # a quarter of the unit length, in quarter lengths
    position_ql, notes, chords = Fraction(0), [], []
    while position_ql < end_ql:
        left = int((end_ql - position_ql) / grain_ql)
        in_bar = int((meter.bar_ql - position_ql % meter.bar_ql) / grain_ql)
        if draw(st.booleans()):
            symbol = draw(chord_symbols)
            chords.append(ChordSymbol(position_ql, symbol.root_pc, symbol.quality))
        length = draw(st.integers(1, min(left, 40)))
        if in_bar >= 8 and draw(st.integers(0, 4)) == 0:
            for _ in range(3):
                third_ql = grain_ql * Fraction(8, 3)
                notes.append(Note(position_ql, third_ql, draw(st.integers(40, 90))))
                position_ql += third_ql
            continue
        if draw(st.integers(0, 4)):
            notes.append(Note(position_ql, length * grain_ql, draw(st.integers(40, 90))))
        position_ql += length * grain_ql
    return LeadSection("A", bars, tuple(notes), tuple(chords))
