"""Chords of every bar: those of the tune, thinned, enriched or simplified as the style has it; cadences that close."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from llm_music_gen.arranging.timeline import Bar, ChordSpan, material
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.score import ChordSymbol, LeadSection, LeadSheet
from llm_music_gen.domain.theme import Theme
from llm_music_gen.notation.chords import QUALITIES
from llm_music_gen.styles import Style

#: Seventh and ninth that a triad takes, by quality and whether the tone belongs to the key.
_SEVENTHS = {"": (("maj7", 11), ("7", 10), ("6", 9)), "m": (("m7", 10), ("m6", 9)), "dim": (("m7b5", 10),), "aug": ()}
_NINTHS = {"maj7": "maj9", "7": "9", "m7": "m9"}
_TRIAD_OF = {
    "7": "", "maj7": "", "6": "", "9": "", "maj9": "", "7sus4": "sus4", "m7": "m", "m9": "m", "m6": "m", "m7b5": "dim",
    "dim7": "dim",
}  # fmt: skip


def chord_pcs(chord: ChordSymbol) -> tuple[int, ...]:
    """Pitch classes of a chord from its root up, without a slash bass."""
    return tuple((chord.root_pc + step) % 12 for step in QUALITIES[chord.quality])


def tonic_triad(key: Key) -> ChordSymbol:
    """The chord on which songs end."""
    return ChordSymbol(Fraction(0), key.tonic_pc, "m" if key.is_minor else "")


def with_chords(bars: list[Bar], theme: Theme, tune: LeadSheet, style: Style) -> list[Bar]:
    """The bars with the chords that the band plays."""
    by_label: dict[tuple[str, int], list[list[ChordSpan]]] = {}
    out = []
    for bar in bars:
        key = (bar.plan.label, bar.plan.bars)
        if key not in by_label:
            by_label[key] = _section_chords(material(tune, bar.plan), bar.plan.bars, theme, style)
        spans = by_label[key][bar.in_section]
        if bar.number == len(bars) - 1:
            spans = [ChordSpan(Fraction(0), bar.length_ql, _coloured(tonic_triad(theme.key), theme.key, style, last=True))]
        out.append(replace(bar, chords=tuple(spans)))
    return out


def _section_chords(section: LeadSection, bars: int, theme: Theme, style: Style) -> list[list[ChordSpan]]:
    """Spans of each bar of one section. A stretched tune stretches its chords along."""
    stretch = style.lead.augment
    bar_ql = theme.meter.bar_ql
    length = section.bars * bar_ql * stretch
    written = [(chord.onset_ql * stretch, chord) for chord in section.chords] or [(Fraction(0), tonic_triad(theme.key))]
    if written[0][0] > 0:
        written.insert(0, (Fraction(0), written[0][1]))
    out: list[list[ChordSpan]] = []
    for number in range(bars):
        start = (number * bar_ql) % length
        current = [chord for onset, chord in written if onset <= start][-1]
        changes = [(Fraction(0), current)] + [
            (onset - start, chord) for onset, chord in written if start < onset < start + bar_ql
        ]
        changes = _thinned(changes, theme, style)
        ends = [onset for onset, _ in changes[1:]] + [bar_ql]
        out.append(
            [
                ChordSpan(onset, end - onset, _coloured(chord, theme.key, style))
                for (onset, chord), end in zip(changes, ends, strict=True)
            ]
        )
    return _slowed(out, style)


def _thinned(changes: list[tuple[Fraction, ChordSymbol]], theme: Theme, style: Style) -> list[tuple[Fraction, ChordSymbol]]:
    """No more changes in a bar than the style likes; those on beats stay first."""
    most = max(1, round(style.harmony.chords_per_bar + 0.49))
    kept = [change for change in changes if change[0] % theme.meter.beat_ql == 0] or changes[:1]
    while len(kept) > most:
        middle = theme.meter.bar_ql / 2
        weakest = max(range(1, len(kept)), key=lambda index: abs(kept[index][0] - middle))
        kept.pop(weakest)
    return [change for index, change in enumerate(kept) if index == 0 or not _same(change[1], kept[index - 1][1])]


def _slowed(bars: list[list[ChordSpan]], style: Style) -> list[list[ChordSpan]]:
    """Styles whose chords last several bars keep each chord for so many; the last bar of the section stays as written."""
    hold = round(1 / style.harmony.chords_per_bar) if style.harmony.chords_per_bar < 0.75 else 1
    out = []
    for number, spans in enumerate(bars):
        leader = bars[number - number % hold][0].chord
        whole = spans[0].length_ql if len(spans) == 1 else sum((span.length_ql for span in spans), Fraction(0))
        keep = hold == 1 or number == len(bars) - 1
        out.append(spans if keep else [ChordSpan(Fraction(0), whole, leader)])
    return out


def _same(one: ChordSymbol, other: ChordSymbol) -> bool:
    return (one.root_pc, one.quality, one.bass_pc) == (other.root_pc, other.quality, other.bass_pc)


def _coloured(chord: ChordSymbol, key: Key, style: Style, *, last: bool = False) -> ChordSymbol:
    """The chord as rich as the style has it, with tones of the key alone. The last chord of all stays a plain triad."""
    triad = _TRIAD_OF.get(chord.quality, chord.quality)
    level = style.harmony.level
    if last or level == "triads":
        return replace(chord, quality=chord.quality if level == "triads" and not last and chord.quality == "7" else triad)
    if level == "power":
        return replace(chord, quality=triad if triad == "dim" else "5", bass_pc=None)
    if level == "sus":
        return replace(chord, quality="sus2" if triad in ("", "m") and (chord.root_pc + 2) % 12 in key.scale_pcs else triad)
    quality = chord.quality
    if quality in _SEVENTHS:
        fitting = [name for name, step in _SEVENTHS[quality] if (chord.root_pc + step) % 12 in key.scale_pcs]
        quality = fitting[0] if fitting else quality
    if level == "ninths" and quality in _NINTHS and (chord.root_pc + 2) % 12 in key.scale_pcs:
        quality = _NINTHS[quality]
    return replace(chord, quality=quality)
