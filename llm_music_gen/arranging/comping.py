"""Chords, pads and arpeggios: who carries the harmony, and in which rhythm."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from llm_music_gen.arranging.patterns import step_indices
from llm_music_gen.arranging.played import GridNote, velocity_of
from llm_music_gen.arranging.timeline import Bar, plays
from llm_music_gen.arranging.voicing import Voicing, voiced
from llm_music_gen.styles import Style


def voicings(bars: list[Bar], style: Style) -> list[list[tuple[Fraction, Fraction, Voicing]]]:
    """For each bar its chords as voiced: (onset in the bar, length, pitches), led smoothly from one to the next."""
    previous: Voicing | None = None
    out = []
    for bar in bars:
        spans = []
        for span in bar.chords:
            previous = voiced(span.chord, previous, style.comp.compass, style.comp.voices, style.comp.voicings)
            spans.append((span.onset_ql, span.length_ql, previous))
        out.append(spans)
    return out


def chord_part(
    bars: list[Bar], voiced_bars: list[list[tuple[Fraction, Fraction, Voicing]]], style: Style, rng: np.random.Generator
) -> list[GridNote]:
    """The chord instrument: the style's rhythms, a fresh stroke wherever the chord changes."""
    out: list[GridNote] = []
    choice: dict[int, int] = {}
    patterns = style.comp.chords
    for bar, spans in zip(bars[:-1], voiced_bars[:-1], strict=True):
        if not plays(style, "chords", bar.plan):
            continue
        if bar.section not in choice:
            choice[bar.section] = int(rng.integers(0, max(1, len(patterns))))
        if not patterns:
            strokes = [(onset, length, 6) for onset, length, _ in spans]
        else:
            strokes = _strokes(patterns[choice[bar.section]], bar, style, [onset for onset, _, _ in spans])
        for onset, length, level in strokes:
            voicing = _sounding(spans, onset)
            velocity = velocity_of(level, bar.plan.energy)
            out += [GridNote(bar.onset_ql + onset, length, pitch, velocity) for pitch in voicing]
    return out


def pad_part(bars: list[Bar], voiced_bars: list[list[tuple[Fraction, Fraction, Voicing]]], style: Style) -> list[GridNote]:
    """Whole chords, held; tones that two chords share are tied over."""
    out: list[GridNote] = []
    open_notes: dict[int, GridNote] = {}
    for bar, spans in zip(bars[:-1], voiced_bars[:-1], strict=True):
        active = plays(style, "pad", bar.plan)
        for onset, length, voicing in spans:
            start = bar.onset_ql + onset
            velocity = round(52 + 34 * bar.plan.energy)
            wanted = set(voicing) if active else set()
            for pitch in [pitch for pitch in open_notes if pitch not in wanted or (bar.in_section == 0 and onset == 0)]:
                out.append(open_notes.pop(pitch))
            for pitch in sorted(wanted):
                if pitch in open_notes:
                    held = open_notes[pitch]
                    open_notes[pitch] = GridNote(held.onset_ql, start + length - held.onset_ql, pitch, held.velocity)
                else:
                    open_notes[pitch] = GridNote(start, length, pitch, velocity)
    return out + list(open_notes.values())


def arpeggio_part(
    bars: list[Bar], voiced_bars: list[list[tuple[Fraction, Fraction, Voicing]]], style: Style, rng: np.random.Generator
) -> list[GridNote]:
    """Broken chords by the style's figures, an octave above the chords."""
    out: list[GridNote] = []
    figures = style.comp.arpeggios
    if not figures:
        return out
    grid = style.comp.grid or style.grooves.grid
    for bar, spans in zip(bars[:-1], voiced_bars[:-1], strict=True):
        if not plays(style, "arp", bar.plan):
            continue
        figure = figures[(bar.section + (bar.in_section // 4)) % len(figures)]
        steps = step_indices(grid, bar.length_ql, bar.in_section, len(figure))
        step_ql = steps[1][0] - steps[0][0] if len(steps) > 1 else bar.length_ql
        for offset, place in steps:
            if not figure[place].isdigit():
                continue
            voicing = _sounding(spans, offset)
            turn, voice = divmod(int(figure[place]) - 1, len(voicing))
            velocity = round((70 if offset % 1 == 0 else 60) * (0.75 + 0.3 * bar.plan.energy))
            length = step_ql * Fraction(9, 10) * (2 if place + 1 < len(figure) and figure[place + 1] == "." else 1)
            out.append(GridNote(bar.onset_ql + offset, length, voicing[voice] + 12 * (turn + 1), velocity))
    return out


def _strokes(pattern: str, bar: Bar, style: Style, changes: list[Fraction]) -> list[tuple[Fraction, Fraction, int]]:
    """(onset, length, level) of each stroke in a bar."""
    grid = style.comp.grid or style.grooves.grid
    steps = step_indices(grid, bar.length_ql, bar.in_section, len(pattern))
    step_ql = steps[1][0] - steps[0][0] if len(steps) > 1 else bar.length_ql
    out: list[tuple[Fraction, Fraction, int]] = []
    for number, (offset, place) in enumerate(steps):
        sign = pattern[place]
        fresh = offset in changes and sign == "-" and offset > 0
        if sign in ".-" and not fresh:
            continue
        end = number + 1
        while end < len(steps) and pattern[steps[end][1]] == "-" and steps[end][0] not in changes:
            end += 1
        held = end - number > 1
        length = step_ql * (end - number)
        gate = Fraction(19, 20) if held else Fraction(round(style.comp.gate * 20), 20)
        out.append((offset, length * gate, {"x": 6, "-": 6, "o": 3}.get(sign) or int(sign)))
    return out


def _sounding(spans: list[tuple[Fraction, Fraction, Voicing]], offset: Fraction) -> Voicing:
    current = spans[0][2]
    for onset, _, voicing in spans:
        if onset <= offset:
            current = voicing
    return current
