"""Chord symbols for tunes that have none, by rule, so that jigs, reels and slip jigs too are learned with chords.

How well a chord fits the melody notes of a half or whole bar, weighed by length and metrical place, stands against how usual the
step from the last chord is and how unwelcome a change in the middle of a bar; the Viterbi path over functional chords is the
harmony. Harmonised tunes are training material only; the held-out tunes keep what was printed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from llm_music_gen.domain.key import Key
from training.chords import TONES, fifths_note, note_fifths
from training.score import TICKS_PER_QUARTER, Bar, Element, Section, Tune, Unwritable, bar_ticks, merge_ties

#: Per mode: degree as (place on the line of fifths above the tonic, quality, how usual it is).
_DEGREES: dict[str, tuple[tuple[int, str, float], ...]] = {
    "major": (
        (0, "", 0.0), (1, "", -0.5), (1, "7", -0.5), (-1, "", -0.6), (3, "m", -1.3), (2, "m", -1.3), (4, "m", -2.2),
        (2, "7", -2.4),
    ),
    "minor": (
        (0, "m", 0.0), (1, "7", -0.6), (1, "m", -1.4), (-1, "m", -0.8), (-2, "", -0.7), (-3, "", -1.0), (-4, "", -1.4),
        (1, "", -0.8),
    ),
    "dorian": ((0, "m", 0.0), (-2, "", -0.3), (-1, "", -1.0), (-3, "", -1.2), (1, "m", -1.2), (-1, "7", -2.5)),
    "mixolydian": ((0, "", 0.0), (-2, "", -0.3), (-1, "", -0.7), (1, "m", -1.4), (2, "m", -1.6), (3, "m", -1.8)),
}  # fmt: skip
_DEGREES["lydian"] = _DEGREES["major"]
_DEGREES["phrygian"] = _DEGREES["locrian"] = ((0, "m", 0.0), (-5, "", -0.5), (-2, "m", -0.8), (-3, "", -0.9), (-4, "", -1.2))
#: Reward for falling a fifth (by steps on the line of fifths from one root to the next: -1 is V to I).
_STEPS = {0: 0.0, -1: 0.5, 1: 0.2, -2: 0.0, 2: 0.1, -3: 0.0, 3: 0.0, 4: -0.4, -4: -0.3}
_HALF_BAR_METERS = {"4/4", "2/2", "6/8", "12/8", "6/4", "2/4"}
#: Cost of changing the chord at the bar line and inside the bar.
_CHANGE, _CHANGE_INSIDE = 0.45, 1.1


@dataclass(frozen=True, slots=True)
class _Chord:
    name: str
    fifths: int
    tones: frozenset[int]
    weight: float
    is_tonic: bool
    is_dominant: bool


@lru_cache(maxsize=256)
def _palette(key: Key) -> tuple[_Chord, ...]:
    tonic = note_fifths(key.tonic)
    chords = []
    for fifths, quality, weight in _DEGREES[key.mode]:
        root = fifths_note(tonic + fifths)
        root_pc = 7 * (tonic + fifths) % 12
        tones = frozenset((root_pc + tone) % 12 for tone in TONES[quality])
        dominant = (fifths == 1 and quality in ("", "7")) or (fifths == -2 and key.mode in ("dorian", "mixolydian"))
        chords.append(_Chord(root + quality, fifths, tones, weight, fifths == 0, dominant))
    return tuple(chords)


def harmonise(tune: Tune) -> Tune:
    """The tune with chord symbols; as it is where it has some already or where its metre has no place for them."""
    if tune.has_chords:
        return tune
    try:
        return replace(tune, sections=tuple(_harmonised(section, tune) for section in tune.sections))
    except Unwritable:
        return tune


def _harmonised(section: Section, tune: Tune) -> Section:
    length = bar_ticks(tune.meter)
    halves = 2 if str(tune.meter) in _HALF_BAR_METERS else 1
    spans = [
        _span(bar, part * length // halves, (part + 1) * length // halves, tune) for bar in section.bars for part in range(halves)
    ]
    path = _viterbi(spans, _palette(tune.key), halves)
    bars: list[Bar] = []
    current = None
    for number, bar in enumerate(section.bars):
        marks: dict[int, str] = {}
        for part in range(halves):
            name = path[number * halves + part].name
            if name != current:
                marks[part * length // halves] = name
                current = name
        bars.append(_marked(bar, marks))
    return Section(section.label, tuple(bars))


def _span(bar: Bar, start: int, end: int, tune: Tune) -> dict[int, float]:
    """Weight of each pitch class that sounds between two places of a bar: by length, more on the beat."""
    beat = int(tune.meter.beat_ql * TICKS_PER_QUARTER)
    weights: dict[int, float] = {}
    onset = 0
    for element in bar:
        sounding = min(end, onset + element.ticks) - max(start, onset)
        if sounding > 0 and element.pitch is not None:
            accent = 1.6 if onset == start else 1.25 if onset % beat == 0 else 0.8
            pc = element.pitch.midi % 12
            weights[pc] = weights.get(pc, 0.0) + accent * math.sqrt(sounding / TICKS_PER_QUARTER) * 1.2
        onset += element.ticks
    return weights


def _fit(chord: _Chord, span: dict[int, float]) -> float:
    inside = sum(weight for pc, weight in span.items() if pc in chord.tones)
    total = sum(span.values())
    seventh = 0.15 if len(chord.tones) > 3 else 0.0
    return chord.weight * 0.55 - (1.4 * (total - inside)) - seventh * total


def _viterbi(spans: list[dict[int, float]], palette: tuple[_Chord, ...], halves: int) -> list[_Chord]:
    scores = [_fit(chord, spans[0]) - (0.0 if chord.is_tonic else 0.5) for chord in palette]
    back: list[list[int]] = []
    last_bar = len(spans) - halves
    for index, span in enumerate(spans[1:], start=1):
        inside = index % halves != 0
        change = _CHANGE_INSIDE if inside else _CHANGE * (0.6 if index % (2 * halves) == 0 else 1.0)
        # Cadences: the tonic where a phrase ends, the dominant before it.
        closing = 1.6 if index >= last_bar else 0.0
        approach = 1.2 if last_bar - halves <= index < last_bar + halves - 1 else 0.0
        fresh, pointers = [], []
        for place, chord in enumerate(palette):
            options = [
                scores[before] - (0.0 if before == place else change) + 0.5 * _STEPS.get(chord.fifths - other.fifths, -0.3)
                for before, other in enumerate(palette)
            ]
            best = max(range(len(options)), key=options.__getitem__)
            bonus = closing if chord.is_tonic else approach if chord.is_dominant else 0.0
            fresh.append(options[best] + _fit(chord, span) + bonus)
            pointers.append(best)
        scores = fresh
        back.append(pointers)
    place = max(range(len(scores)), key=scores.__getitem__)
    path = [place]
    for pointers in reversed(back):
        path.append(pointers[path[-1]])
    return [palette[index] for index in reversed(path)]


def _marked(bar: Bar, marks: dict[int, str]) -> Bar:
    """The bar with chords at these places; a note that sounds through one is divided and tied."""
    out: list[Element] = []
    onset = 0
    for element in bar:
        end = onset + element.ticks
        inside = sorted(mark for mark in marks if onset < mark < end)
        if inside and element.triplet:
            raise Unwritable("a chord inside a triplet note")
        cuts = [onset, *inside, end]
        for begin, stop in pairwise(cuts):
            tie = element.tie if stop == end else element.pitch is not None
            out.append(replace(element, ticks=stop - begin, tie=tie, chord=marks.get(begin)))
        onset = end
    return merge_ties(out)
