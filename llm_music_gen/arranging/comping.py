"""Chords, pads and arpeggios: who carries the harmony, and in which rhythm."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from llm_music_gen.arranging.patterns import steps_in_bar
from llm_music_gen.arranging.played import GridNote, velocity_of
from llm_music_gen.arranging.timeline import Bar
from llm_music_gen.arranging.voicing import Voicing, voiced
from llm_music_gen.styles import Style

#: From this gate on, strokes ring until the next one; below it they are short.
_RINGING = 0.75
#: No note is held longer than this: strings change their bow, pads breathe.
_LONGEST_QL = 32


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
    if style.comp.gate >= 1:
        return pad_part(bars, voiced_bars, "chords")
    choice: dict[int, int] = {}
    patterns = style.comp.chords
    for bar, spans in zip(bars[:-1], voiced_bars[:-1], strict=True):
        if not bar.plays("chords"):
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


def pad_part(bars: list[Bar], voiced_bars: list[list[tuple[Fraction, Fraction, Voicing]]], role: str = "pad") -> list[GridNote]:
    """Whole chords, held; tones that two chords share are tied over, until a section or a long breath ends."""
    out: list[GridNote] = []
    open_notes: dict[int, GridNote] = {}
    for bar, spans in zip(bars[:-1], voiced_bars[:-1], strict=True):
        for onset, length, voicing in spans:
            start = bar.onset_ql + onset
            velocity = round(52 + 34 * bar.plan.energy)
            wanted = set(voicing) if bar.plays(role) else set()
            fresh = bar.in_section == 0 and onset == 0
            for pitch in [
                pitch for pitch, held in open_notes.items() if pitch not in wanted or fresh or held.duration_ql >= _LONGEST_QL
            ]:
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
        if not bar.plays("arp"):
            continue
        figure = figures[(bar.section + (bar.in_section // 4)) % len(figures)]
        for offset, place, step_ql in steps_in_bar(grid, bar.meter, bar.in_section, len(figure)):
            if not figure[place].isdigit():
                continue
            voicing = _sounding(spans, offset)
            turn, voice = divmod(int(figure[place]) - 1, len(voicing))
            velocity = round((70 if offset % 1 == 0 else 60) * (0.75 + 0.3 * bar.plan.energy))
            length = step_ql * Fraction(9, 10) * (2 if place + 1 < len(figure) and figure[place + 1] == "." else 1)
            out.append(GridNote(bar.onset_ql + offset, length, voicing[voice] + 12 * (turn + 1), velocity))
    return out


def _strokes(pattern: str, bar: Bar, style: Style, changes: list[Fraction]) -> list[tuple[Fraction, Fraction, int]]:
    """(onset, length, level) of each stroke in a bar. Strokes ring to the next one where the style lets them."""
    steps = steps_in_bar(style.comp.grid or style.grooves.grid, bar.meter, bar.in_section, len(pattern))
    found: list[tuple[Fraction, int, Fraction, bool]] = []
    for number, step in enumerate(steps):
        sign = pattern[step.place]
        # A held stroke is struck again where the chord changes under it.
        fresh = step.offset_ql in changes and step.offset_ql > 0 and sign == "-"
        if sign in ".-" and not fresh:
            continue
        end = number + 1
        while end < len(steps) and pattern[steps[end].place] == "-" and steps[end].offset_ql not in changes:
            end += 1
        level = {"x": 6, "-": 6, "o": 3}.get(sign) or int(sign)
        stop = steps[end].offset_ql if end < len(steps) else bar.length_ql
        found.append((step.offset_ql, level, stop, end - number > 1))
    out = []
    gate = Fraction(round(style.comp.gate * 20), 20)
    for number, (onset, level, stop, held) in enumerate(found):
        following = found[number + 1][0] if number + 1 < len(found) else bar.length_ql
        rings = style.comp.gate >= _RINGING and not held
        length = (following - onset if rings else stop - onset) * (Fraction(19, 20) if held else gate)
        out.append((onset, length, level))
    return out


def _sounding(spans: list[tuple[Fraction, Fraction, Voicing]], offset: Fraction) -> Voicing:
    current = spans[0][2]
    for onset, _, voicing in spans:
        if onset <= offset:
            current = voicing
    return current
