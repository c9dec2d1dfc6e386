"""Lead sheets made by chance, in keeping with their key: stand-ins for tunes of the composer model. Themes to go with them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import ChordSymbol, LeadSection, LeadSheet, Note
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.units import SAMPLE_RATE_HZ, seconds_to_frames

FORM = (
    SectionPlan("A", "intro", 4, 0.2),
    SectionPlan("A", "verse", 8, 0.45),
    SectionPlan("B", "chorus", 8, 0.8),
    SectionPlan("C", "break", 4, 0.3),
    SectionPlan("B", "chorus", 8, 0.9),
    SectionPlan("A", "outro", 4, 0.3),
)


def theme_for(
    key: Key,
    meter: Meter,
    tempo_bpm: float,
    form: Sequence[SectionPlan] = FORM,
    *,
    tail_s: float = 3.0,
    without: tuple[str, ...] = (),
) -> Theme:
    """A theme whose length is its bars and `tail_s` more."""
    bars = sum(section.bars for section in form)
    frames = seconds_to_frames(bars * meter.bar_seconds(tempo_bpm) + tail_s)
    assert frames > bars * meter.bar_seconds(tempo_bpm) * SAMPLE_RATE_HZ
    return Theme("A tune", ("test",), (), key, tempo_bpm, meter, tuple(form), without=without, length_frames=frames)


def lead_sheet(theme: Theme, rng: np.random.Generator, *, chords: bool = True) -> LeadSheet:
    """A section for each label of the form: mostly steps, some leaps, chords that mostly fit, a close on the tonic."""
    labels = dict.fromkeys(plan.label for plan in theme.form)
    bars = {label: max(plan.bars for plan in theme.form if plan.label == label) for label in labels}
    sections = tuple(_section(label, bars[label], theme, rng, chords) for label in labels)
    return LeadSheet(theme.title, theme.key, theme.meter, theme.tempo_bpm, sections, tuple(plan.label for plan in theme.form))


def _section(label: str, bars: int, theme: Theme, rng: np.random.Generator, chords: bool) -> LeadSection:
    bar_ql = theme.meter.bar_ql
    scale = [pitch for pitch in range(57, 85) if pitch % 12 in theme.key.scale_pcs]
    between = [int(degree) for degree in rng.choice([0, 1, 3, 4, 4, 5], bars)]
    degrees = [*[0, *between][: bars - 1], 0]
    place = len(scale) // 2
    notes: list[Note] = []
    symbols: list[ChordSymbol] = []
    for bar in range(bars):
        root = theme.key.scale_pcs[degrees[bar]]
        third = (theme.key.scale_pcs[(degrees[bar] + 2) % 7] - root) % 12
        fifth = (theme.key.scale_pcs[(degrees[bar] + 4) % 7] - root) % 12
        quality = "dim" if fifth == 6 else "m" if third == 3 else ""
        symbols.append(ChordSymbol(bar * bar_ql, root, quality))
        chord = {root, (root + third) % 12, (root + fifth) % 12}
        onset = Fraction(0)
        while onset < bar_ql:
            length = min(Fraction(int(rng.choice([1, 1, 2, 2, 3, 4])), 2), bar_ql - onset)
            place += int(rng.choice([-2, -1, -1, 1, 1, 2, 3, -3]))
            place = min(len(scale) - 1, max(0, place))
            if onset % 1 == 0 and scale[place] % 12 not in chord and rng.random() < 0.7:
                near = [index for index in range(max(0, place - 2), min(len(scale), place + 3)) if scale[index] % 12 in chord]
                place = near[0] if near else place
            if rng.random() > 0.06:
                notes.append(Note(bar * bar_ql + onset, length, scale[place]))
            onset += length
    if notes:
        tonic = min(
            (pitch for pitch in scale if pitch % 12 == theme.key.tonic_pc), key=lambda pitch: abs(pitch - notes[-1].pitch)
        )
        notes[-1] = Note(notes[-1].onset_ql, notes[-1].duration_ql, tonic)
    return LeadSection(label, bars, tuple(notes), tuple(symbols) if chords else ())
