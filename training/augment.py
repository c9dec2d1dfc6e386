"""What a training epoch is made of: every training tune in a form drawn anew, so that all keys, metres and section lengths occur.

Changes keep the music playable as written: transposition over the line of fifths (spelling stays relative to the key), another
metre sign or unit length for the same bars, bars joined or sections divided, chord symbols left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

import numpy as np

from llm_music_gen.domain.key import MODES, Key
from llm_music_gen.domain.meter import Meter
from training.chords import note_fifths, transpose_chord
from training.score import (
    LABELS,
    Bar,
    Element,
    Pitch,
    Section,
    Tune,
    Unwritable,
    body_text,
    check,
    header_text,
    merge_ties,
    natural_midi,
)

#: Mean pitch (MIDI) of a melody after transposition lies within these where an octave can put it there.
LOWEST_MEAN, HIGHEST_MEAN = 64.5, 76.5


@dataclass(frozen=True, slots=True)
class Mix:
    """How often an epoch changes what."""

    own_key: float = 0.3
    lead_sheet_copies: int = 2
    lead_sheet_plain: float = 0.1
    remeter: float = 0.35
    divide: float = 0.2
    join: float = 0.15
    folk_harmonised: float = 0.5


@lru_cache(maxsize=16)
def _targets(mode: str) -> tuple[tuple[Key, ...], tuple[float, ...]]:
    tonics = [letter + accidental for letter in "CDEFGAB" for accidental in ("", "#", "b")]
    keys = [key for key in (Key(tonic, mode) for tonic in tonics) if abs(key.fifths) <= 7]
    weights = [1.0 if abs(key.fifths) <= 5 else 0.5 if abs(key.fifths) == 6 else 0.15 for key in keys]
    total = sum(weights)
    return tuple(keys), tuple(weight / total for weight in weights)


def transpose(tune: Tune, key: Key) -> Tune:
    """The tune in another key of the same mode, in the octave nearest to the usual range. Raises Unwritable."""
    if key.mode != tune.key.mode:
        raise ValueError(f"cannot transpose {tune.key} to {key}: another mode")
    fifths = note_fifths(key.tonic) - note_fifths(tune.key.tonic)
    semitones, steps = 7 * fifths, 4 * fifths
    octaves = round(semitones / 12)
    semitones, steps = semitones - 12 * octaves, steps - 7 * octaves
    pitches = [element.pitch.midi for element in tune.elements() if element.pitch is not None]
    mean = sum(pitches) / max(1, len(pitches)) + semitones
    shift = 1 if mean < LOWEST_MEAN else -1 if mean > HIGHEST_MEAN else 0
    if shift and (min(pitches) + semitones + 12 * shift < 52 or max(pitches) + semitones + 12 * shift > 93):
        shift = 0
    semitones, steps = semitones + 12 * shift, steps + 7 * shift

    def move(element: Element) -> Element:
        pitch = None if element.pitch is None else _moved(element.pitch, semitones, steps)
        chord = None if element.chord is None else transpose_chord(element.chord, fifths)
        return replace(element, pitch=pitch, chord=chord)

    return replace(tune, key=key, sections=_map_bars(tune.sections, lambda bar: tuple(move(element) for element in bar)))


@lru_cache(maxsize=65536)
def _moved(pitch: Pitch, semitones: int, steps: int) -> Pitch:
    midi, step = pitch.midi + semitones, pitch.step + steps
    alter = midi - natural_midi(step)
    while abs(alter) > 1:
        step += 1 if alter > 0 else -1
        alter = midi - natural_midi(step)
    return Pitch(step, alter)


def _map_bars(sections: tuple[Section, ...], change: object) -> tuple[Section, ...]:
    assert callable(change)
    return tuple(replace(section, bars=tuple(change(bar) for bar in section.bars)) for section in sections)


def _scaled(tune: Tune, factor: Fraction) -> Tune:
    """The same text read at another speed: every length and the unit multiplied."""

    def scale(bar: Bar) -> Bar:
        out = []
        for element in bar:
            ticks = element.ticks * factor
            if ticks.denominator != 1:
                raise Unwritable("too short to scale")
            out.append(replace(element, ticks=ticks.numerator))
        return tuple(out)

    return replace(tune, sections=_map_bars(tune.sections, scale))


def _joined(tune: Tune, meter: Meter) -> Tune:
    """Pairs of bars written as one bar of `meter`. Raises Unwritable when a section has an odd number of bars."""
    sections = []
    for section in tune.sections:
        if len(section.bars) % 2 or len(section.bars) < 4:
            raise Unwritable("an odd number of bars")
        pairs = zip(section.bars[::2], section.bars[1::2], strict=True)
        sections.append(replace(section, bars=tuple(merge_ties((*first, *second)) for first, second in pairs)))
    return replace(tune, meter=meter, sections=tuple(sections))


def _trimmed(tune: Tune, meter: Meter) -> Tune:
    """Every bar cut short at the length of `meter`, for the metres that the corpora hardly know."""
    length = int(meter.bar_ql * 192)

    def trim(bar: Bar) -> Bar:
        out: list[Element] = []
        left = length
        for element in bar:
            if left == 0:
                break
            if element.triplet and left < element.ticks * 3 and (not out or not out[-1].triplet):
                out.append(Element(left))
                left = 0
                break
            out.append(replace(element, ticks=min(left, element.ticks), tie=False))
            left -= out[-1].ticks
        if sum(element.triplet for element in out) % 3:
            raise Unwritable("a cut triplet")
        return merge_ties(out)

    return replace(tune, meter=meter, sections=_map_bars(tune.sections, trim))


def remeter(tune: Tune, rng: np.random.Generator) -> Tune:
    """The tune under another metre or unit, drawn among those that its bars allow. Raises Unwritable."""
    meter, sixteenth = str(tune.meter), tune.unit == Fraction(1, 16)
    draw = rng.random()
    if meter == "2/2":
        return replace(tune, meter=Meter(4, 4)) if draw < 0.9 else _trimmed(tune, Meter(7, 8))
    if meter == "4/4":
        if draw < 0.35:
            return replace(tune, meter=Meter(2, 2))
        if draw < 0.5:
            return _trimmed(tune, Meter(7, 8))
        if draw < 0.7:
            return _trimmed(tune, Meter(5, 8)) if draw < 0.52 else replace(tune, unit=Fraction(1, 4))
        return replace(_scaled(tune, Fraction(1, 2)), meter=Meter(2, 4), unit=Fraction(1, 16) if draw < 0.85 else Fraction(1, 8))
    if meter == "2/4":
        if draw < 0.35 and sixteenth:
            return replace(_scaled(tune, Fraction(2)), meter=Meter(4, 4), unit=Fraction(1, 8))
        if draw < 0.6:
            return _joined(tune, Meter(4, 4))
        return replace(tune, unit=Fraction(1, 8) if sixteenth else Fraction(1, 16))
    if meter == "6/8":
        if draw < 0.55:
            return _joined(tune, Meter(12, 8))
        if draw < 0.7:
            return _joined(_trimmed(tune, Meter(5, 8)), Meter(5, 4))
        if draw < 0.85:
            return replace(_scaled(tune, Fraction(2)), meter=Meter(6, 4), unit=Fraction(1, 4))
        return _trimmed(tune, Meter(5, 8))
    if meter == "3/4":
        if draw < 0.3:
            return _joined(tune, Meter(6, 4))
        if draw < 0.5:
            return _trimmed(_joined(tune, Meter(6, 4)), Meter(5, 4))
        if draw < 0.75:
            return replace(_scaled(tune, Fraction(1, 2)), meter=Meter(3, 8), unit=Fraction(1, 16))
        return replace(_scaled(tune, Fraction(2)), meter=Meter(3, 2), unit=Fraction(1, 4))
    if meter == "9/8" and draw < 0.25:
        return _trimmed(tune, Meter(7, 8))
    return tune


def divide(tune: Tune) -> Tune:
    """Sections of 8, 12 and 16 bars in two halves, each with its own label."""
    pieces: list[tuple[Bar, ...]] = []
    for section in tune.sections:
        count = len(section.bars)
        half = 8 if count in (12, 16) else 4 if count == 8 else count
        pieces.append(_open_end(section.bars[:half]))
        if half < count:
            pieces.append(_chord_at_start(section.bars, half))
    return _relabelled(tune, pieces)


def join(tune: Tune) -> Tune:
    """Neighbouring sections of up to 8 bars together as one of up to 16."""
    pieces: list[tuple[Bar, ...]] = []
    for section in tune.sections:
        if pieces and len(pieces[-1]) == len(section.bars) <= 8:
            pieces[-1] += section.bars
        else:
            pieces.append(section.bars)
    return _relabelled(tune, pieces)


def shortened(tune: Tune, rng: np.random.Generator) -> Tune:
    """Each section reduced to its first or last few bars: 2, 4 or 6."""
    pieces = []
    for section in tune.sections:
        count = int(rng.choice([2, 4, 6]))
        if len(section.bars) <= count:
            pieces.append(section.bars)
        elif rng.random() < 0.5:
            pieces.append(_chord_at_start(section.bars, len(section.bars) - count))
        else:
            pieces.append(_open_end(section.bars[:count]))
    return _relabelled(tune, pieces)


def _relabelled(tune: Tune, pieces: list[tuple[Bar, ...]]) -> Tune:
    named = zip(LABELS, pieces, strict=False)
    return replace(tune, sections=tuple(Section(label, bars) for label, bars in named))


def _open_end(bars: tuple[Bar, ...]) -> tuple[Bar, ...]:
    return (*bars[:-1], (*bars[-1][:-1], replace(bars[-1][-1], tie=False)))


def _chord_at_start(bars: tuple[Bar, ...], start: int) -> tuple[Bar, ...]:
    """The bars from `start` on, beginning with the chord that sounds there."""
    if bars[start][0].chord is None:
        before = [element.chord for bar in bars[:start] for element in bar if element.chord]
        if before:
            first = replace(bars[start][0], chord=before[-1])
            return ((first, *bars[start][1:]), *bars[start + 1 :])
    return bars[start:]


def varied(tune: Tune, mix: Mix, rng: np.random.Generator) -> Tune:
    """One draw of a training tune's form. Falls back to the plain tune where a change cannot be written."""
    form = tune
    draw = rng.random()
    try:
        if rng.random() < mix.remeter:
            form = remeter(form, rng)
        if draw < mix.divide:
            form = divide(form) if draw < 0.6 * mix.divide else shortened(form, rng)
        elif draw < mix.divide + mix.join:
            form = join(form)
        check(form)
        body_text(form, chords=True)
    except Unwritable:
        form = tune
    if rng.random() < mix.own_key or tune.key.mode not in MODES:
        return form
    keys, weights = _targets(tune.key.mode)
    moved = transpose(form, keys[int(rng.choice(len(keys), p=weights))])
    try:
        check(moved)
        body_text(moved, chords=True)
    except Unwritable:
        return form
    return moved


def epoch_texts(
    tunes: tuple[Tune, ...], harmonised: tuple[Tune, ...], mix: Mix, rng: np.random.Generator
) -> list[tuple[str, str]]:
    """(header, body) of every training tune in a form drawn with `rng`, in a drawn order.

    `harmonised` holds the same tunes in the same order, those without chords given some by rule.
    """
    texts: list[tuple[str, str]] = []
    for tune, with_chords in zip(tunes, harmonised, strict=True):
        if tune.has_chords:
            for copy in range(mix.lead_sheet_copies):
                form = varied(tune, mix, rng)
                chords = copy > 0 or rng.random() >= 2 * mix.lead_sheet_plain
                texts.append((header_text(form, chords), body_text(form, chords)))
        else:
            chords = with_chords.has_chords and rng.random() < mix.folk_harmonised
            form = varied(with_chords if chords else tune, mix, rng)
            texts.append((header_text(form, chords), body_text(form, chords)))
    return [texts[index] for index in rng.permutation(len(texts))]
