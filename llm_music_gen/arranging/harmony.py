"""Chords of every bar: those of the tune where they fit it, the key's own where they do not or none are written.

Each stretch between two possible changes gets the chord that fits what is written, what is sung and what came before
(dynamic programming); then chords are made as rich as the style has it, with tones of the key alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from llm_music_gen.arranging.patterns import pulses
from llm_music_gen.arranging.timeline import Bar, ChordSpan, material
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import ChordSymbol, LeadSection, LeadSheet
from llm_music_gen.domain.theme import Theme
from llm_music_gen.notation.chords import QUALITIES
from llm_music_gen.styles import Style

#: Sevenths that a triad may take, the first whose tone belongs to the key; and the ninths above them.
_SEVENTHS = {"": (("maj7", 11), ("7", 10)), "m": (("m7", 10), ("m6", 9)), "dim": (("m7b5", 10),)}
_NINTHS = {"maj7": "maj9", "7": "9", "m7": "m9"}
_TRIAD_OF = {
    "7": "", "maj7": "", "6": "", "9": "", "maj9": "", "7sus4": "sus4", "m7": "m", "m9": "m", "m6": "m", "m7b5": "dim",
    "dim7": "dim",
}  # fmt: skip
#: How well one degree of the scale (semitones above the tonic) follows another.
_MOTIONS = {
    (7, 0): 0.25, (2, 7): 0.15, (5, 7): 0.12, (5, 0): 0.08, (9, 5): 0.08, (9, 2): 0.06, (4, 9): 0.06, (0, 5): 0.06, (0, 7): 0.04,
    (0, 9): 0.04, (10, 0): 0.12, (8, 10): 0.1, (10, 3): 0.04, (3, 8): 0.04, (8, 7): 0.08, (7, 5): -0.1, (7, 2): -0.12,
}  # fmt: skip
_BONUS_TONIC = 0.14
_WRITTEN = 1.1


def chord_pcs(chord: ChordSymbol) -> tuple[int, ...]:
    """Pitch classes of a chord from its root up, without a slash bass."""
    return tuple((chord.root_pc + step) % 12 for step in QUALITIES[chord.quality])


def bass_pc(chord: ChordSymbol) -> int:
    """What the bass plays under it: the slash bass, or the root."""
    return chord.root_pc if chord.bass_pc is None else chord.bass_pc


def tonic_triad(key: Key) -> ChordSymbol:
    """The chord on which songs begin and end."""
    return ChordSymbol(Fraction(0), key.tonic_pc, "m" if key.is_minor else "")


def leading_chord(key: Key) -> ChordSymbol:
    """The chord that leads home: the dominant, or the degree below the tonic in modes whose fifth degree does not lead."""
    if key.mode in ("mixolydian", "phrygian", "locrian", "dorian"):
        lower = (key.tonic_pc - 2) % 12
        return ChordSymbol(Fraction(0), lower, "m" if key.mode in ("phrygian", "locrian") else "")
    return ChordSymbol(Fraction(0), (key.tonic_pc + 7) % 12, "")


def with_chords(bars: list[Bar], theme: Theme, tune: LeadSheet, style: Style, anchor: int = 0) -> list[Bar]:
    """The bars with the chords that the band plays. `anchor` 0 to 3 ties them ever closer to the tonic."""
    sections: dict[tuple[str, int], list[tuple[ChordSpan, ...]]] = {}
    out = []
    for bar in bars:
        wanted = (bar.plan.label, bar.plan.bars)
        if wanted not in sections:
            sections[wanted] = _section_chords(material(tune, bar.plan), bar.plan.bars, theme, style, anchor)
        spans = sections[wanted][bar.in_section]
        if bar.number == len(bars) - 1:
            spans = (ChordSpan(Fraction(0), bar.length_ql, tonic_triad(theme.key)),)
        elif bar.number == 0:
            spans = _opened_on_tonic(spans, theme.key, style)
        elif bar.number == len(bars) - 2:
            spans = _led_home(spans, theme.key, style)
        out.append(replace(bar, chords=spans))
    return out


def _opened_on_tonic(spans: tuple[ChordSpan, ...], key: Key, style: Style) -> tuple[ChordSpan, ...]:
    first = replace(spans[0], chord=_coloured(tonic_triad(key), key, style, {}))
    return (first, *spans[1:])


def _led_home(spans: tuple[ChordSpan, ...], key: Key, style: Style) -> tuple[ChordSpan, ...]:
    """The bar before the last chord ends on one that leads to it."""
    degree = (spans[-1].chord.root_pc - key.tonic_pc) % 12
    if degree in (7, 5, 10, 2) or style.harmony.chords_per_bar < 0.3:
        return spans
    last = replace(spans[-1], chord=_coloured(leading_chord(key), key, style, {}))
    return (*spans[:-1], last)


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch in which the chord does not change."""

    written: tuple[tuple[ChordSymbol, Fraction], ...]
    """Chords with their share of the stretch."""
    sung: Mapping[int, float]
    """Pitch class -> time it sounds in the tune."""


def _section_chords(section: LeadSection, bars: int, theme: Theme, style: Style, anchor: int) -> list[tuple[ChordSpan, ...]]:
    """Spans of each bar of one section. A stretched tune stretches its chords along."""
    meter, key = theme.meter, theme.key
    window_ql = _window_ql(meter, style, bars)
    count = max(1, round(bars * meter.bar_ql / window_ql))
    written = _written(section, bars, theme, style)
    weight = _WRITTEN if section.chords else 0.45
    sung = _sung(section, window_ql, count, style.lead.augment, meter)
    windows = [
        _Window(tuple(_overlaps(written, number * window_ql, (number + 1) * window_ql)), sung[number]) for number in range(count)
    ]
    chosen = _best_path(windows, key, weight / (1 + anchor), _BONUS_TONIC + 0.22 * anchor)
    coloured = [_coloured(chord, key, style, window.sung) for chord, window in zip(chosen, windows, strict=True)]
    out = []
    for number in range(bars):
        start, end = number * meter.bar_ql, (number + 1) * meter.bar_ql
        spans: list[ChordSpan] = []
        for place in range(count):
            left, right = max(start, place * window_ql), min(end, (place + 1) * window_ql)
            if right <= left:
                continue
            if spans and _same(spans[-1].chord, coloured[place]):
                spans[-1] = replace(spans[-1], length_ql=spans[-1].length_ql + right - left)
            else:
                spans.append(ChordSpan(left - start, right - left, coloured[place]))
        out.append(tuple(spans))
    return out


def _window_ql(meter: Meter, style: Style, bars: int) -> Fraction:
    """Time between two possible changes: the style's chords a bar, where the metre can be divided so."""
    rate = style.harmony.chords_per_bar
    if rate >= 1.5 and len(pulses(meter)) % 2 == 0:
        return meter.bar_ql / 2
    if rate >= 0.75:
        return meter.bar_ql
    hold = 1 << max(0, round(math.log2(1 / rate)))
    while hold > 1 and bars % hold:
        hold //= 2
    return meter.bar_ql * min(hold, max(1, bars // 2))


def _written(section: LeadSection, bars: int, theme: Theme, style: Style) -> list[tuple[Fraction, Fraction, ChordSymbol]]:
    """(onset, end, chord) over the whole section, the tune's or else a progression of the style that suits the mode."""
    bar_ql = theme.meter.bar_ql
    total = bars * bar_ql
    if not section.chords:
        return _progression(section, total, theme, style)
    stretch = style.lead.augment
    length = section.bars * bar_ql * stretch
    changes = [(chord.onset_ql * stretch, chord) for chord in section.chords]
    if changes[0][0] > 0:
        changes.insert(0, (Fraction(0), changes[0][1]))
    out = []
    turn = Fraction(0)
    while turn < total:
        for (onset, chord), end in zip(changes, [at for at, _ in changes[1:]] + [length], strict=True):
            if turn + onset < total and end > onset:
                out.append((turn + onset, turn + end, chord))
        turn += length
    return out


def _progression(
    section: LeadSection, total: Fraction, theme: Theme, style: Style
) -> list[tuple[Fraction, Fraction, ChordSymbol]]:
    """A progression of the style whose chords lie in the key; which one, the tune's own notes decide."""
    key = theme.key
    candidates = []
    for progression in style.progressions:
        chords = [
            [ChordSymbol(Fraction(0), (key.tonic_pc + numeral.root) % 12, numeral.quality) for numeral in bar]
            for bar in progression
        ]
        flat = [chord for bar in chords for chord in bar]
        inside = sum(pc in key.scale_pcs for chord in flat for pc in chord_pcs(chord))
        if inside >= 0.85 * sum(len(chord_pcs(chord)) for chord in flat):
            candidates.append(chords)
    if not candidates:
        return []
    bar_ql = theme.meter.bar_ql
    # The sum of the pitches stands for the tune: the same tune always gets the same progression.
    chords = candidates[sum(note.pitch for note in section.notes) % len(candidates)]
    out = []
    for number in range(int(total / bar_ql)):
        here = chords[number % len(chords)]
        for place, chord in enumerate(here):
            onset = number * bar_ql + bar_ql * place / len(here)
            out.append((onset, onset + bar_ql / len(here), chord))
    return out


def _overlaps(
    written: list[tuple[Fraction, Fraction, ChordSymbol]], start: Fraction, end: Fraction
) -> list[tuple[ChordSymbol, Fraction]]:
    return [
        (chord, (min(until, end) - max(onset, start)) / (end - start))
        for onset, until, chord in written
        if onset < end and until > start
    ]


def _sung(section: LeadSection, window_ql: Fraction, count: int, stretch: int, meter: Meter) -> list[dict[int, float]]:
    """For each stretch how long each pitch class sounds; beats count double."""
    out: list[dict[int, float]] = [{} for _ in range(count)]
    length = section.bars * meter.bar_ql * stretch
    turns = max(1, -(-count * window_ql // length))
    for turn in range(int(turns)):
        for note in section.notes:
            onset = turn * length + note.onset_ql * stretch
            place = int(onset // window_ql)
            if place < count:
                weight = float(note.duration_ql * stretch) * (2.0 if onset % meter.beat_ql == 0 else 1.0)
                out[place][note.pitch % 12] = out[place].get(note.pitch % 12, 0.0) + weight
    return out


def _best_path(windows: list[_Window], key: Key, written_weight: float, tonic_bonus: float) -> list[ChordSymbol]:
    """The chords with the highest sum of fits and motions."""
    own = _key_chords(key)
    scores: list[list[tuple[float, int]]] = []
    choices: list[list[ChordSymbol]] = []
    for number, window in enumerate(windows):
        edge = number == 0 or number == len(windows) - 1
        here = list({(chord.root_pc, chord.quality, chord.bass_pc): chord for chord in own}.values())
        for chord, _ in window.written:
            if not any(_same(chord, other) for other in here):
                here.append(replace(chord, onset_ql=Fraction(0)))
        column: list[tuple[float, int]] = []
        for chord in here:
            fit = _fit(chord, window, key, written_weight, tonic_bonus * (2.0 if edge else 1.0))
            if not scores:
                column.append((fit, -1))
                continue
            best = max(
                range(len(choices[-1])), key=lambda before: scores[-1][before][0] + _motion(choices[-1][before], chord, key)
            )
            column.append((fit + scores[-1][best][0] + _motion(choices[-1][best], chord, key), best))
        choices.append(here)
        scores.append(column)
    place = max(range(len(scores[-1])), key=lambda index: scores[-1][index][0])
    path = []
    for number in range(len(windows) - 1, -1, -1):
        path.append(choices[number][place])
        place = scores[number][place][1]
    return path[::-1]


def _fit(chord: ChordSymbol, window: _Window, key: Key, written_weight: float, tonic_bonus: float) -> float:
    tones = set(chord_pcs(chord))
    total = sum(window.sung.values())
    sung = sum(time for pc, time in window.sung.items() if pc in tones) / total if total else 0.5
    written = 0.0
    for symbol, share in window.written:
        if symbol.root_pc == chord.root_pc:
            alike = _TRIAD_OF.get(symbol.quality, symbol.quality) == _TRIAD_OF.get(chord.quality, chord.quality)
            written += float(share) * (1.0 if _same(symbol, chord) else 0.95 if alike else 0.3)
    leading = (key.tonic_pc + 11) % 12
    foreign = sum(0.12 if key.is_minor and pc == leading else 0.35 for pc in tones if pc not in key.scale_pcs)
    return written_weight * written + sung - foreign + (tonic_bonus if _is_tonic(chord, key) else 0.0)


def _motion(before: ChordSymbol, chord: ChordSymbol, key: Key) -> float:
    if _same(before, chord):
        return -0.05
    return _MOTIONS.get(((before.root_pc - key.tonic_pc) % 12, (chord.root_pc - key.tonic_pc) % 12), 0.0)


def _is_tonic(chord: ChordSymbol, key: Key) -> bool:
    return chord.root_pc == key.tonic_pc and _TRIAD_OF.get(chord.quality, chord.quality) == ("m" if key.is_minor else "")


def _key_chords(key: Key) -> tuple[ChordSymbol, ...]:
    """Major and minor triads of the key, and in minor the dominant with the leading tone."""
    scale = set(key.scale_pcs)
    own = [
        ChordSymbol(Fraction(0), root, quality)
        for root in key.scale_pcs
        for quality in ("", "m")
        if {(root + step) % 12 for step in QUALITIES[quality]} <= scale
    ]
    return (tonic_triad(key), *own, leading_chord(key))


def _same(one: ChordSymbol, other: ChordSymbol) -> bool:
    return (one.root_pc, one.quality, one.bass_pc) == (other.root_pc, other.quality, other.bass_pc)


def _coloured(chord: ChordSymbol, key: Key, style: Style, sung: Mapping[int, float]) -> ChordSymbol:
    """The chord as rich as the style has it, without tensions a semitone away from a long note of the tune."""
    triad = _TRIAD_OF.get(chord.quality, chord.quality)
    level = style.harmony.level
    if level == "triads":
        return replace(chord, quality=chord.quality if chord.quality == "7" else triad)
    if level == "power":
        return replace(chord, quality=triad if triad == "dim" else "5", bass_pc=None)
    if level == "sus":
        # The second stands in for the third only where the chord is not the tonic: that one says which mode it is.
        free = chord.root_pc != key.tonic_pc and triad in ("", "m") and (chord.root_pc + 2) % 12 in key.scale_pcs
        return replace(chord, quality="sus2" if free else triad)
    quality = chord.quality if chord.quality not in ("6", "m6") else triad
    for name, step in _SEVENTHS.get(quality, ()):
        pc = (chord.root_pc + step) % 12
        if pc in key.scale_pcs and not _rubs(pc, sung):
            quality = name
            break
    ninth = (chord.root_pc + 2) % 12
    if level == "ninths" and quality in _NINTHS and ninth in key.scale_pcs and not _rubs(ninth, sung):
        quality = _NINTHS[quality]
    return replace(chord, quality=quality)


def _rubs(pc: int, sung: Mapping[int, float]) -> bool:
    """Whether the tune stays on a neighbour a semitone away."""
    total = sum(sung.values()) or 1.0
    return max(sung.get((pc + 1) % 12, 0.0), sung.get((pc - 1) % 12, 0.0)) > 0.25 * total
