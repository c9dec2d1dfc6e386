"""One more voice: it holds the tones that make a chord what it is, and answers where the tune rests."""

from __future__ import annotations

from fractions import Fraction

from llm_music_gen.arranging.harmony import chord_pcs
from llm_music_gen.arranging.melody import Sung
from llm_music_gen.arranging.played import GridNote
from llm_music_gen.arranging.timeline import Bar
from llm_music_gen.styles import Style

#: The countermelody keeps this far below the tune's register.
_BELOW = 7


def counter_line(bars: list[Bar], tune: list[Sung], style: Style) -> list[GridNote]:
    """Guide tones (thirds and sevenths) a step apart where they can be; two notes in a bar that the tune leaves empty."""
    out: list[GridNote] = []
    low, high = style.lead.compass[0] - _BELOW, style.lead.compass[1] - _BELOW
    busy = {int(note.onset_ql // bars[0].length_ql) for note in tune}
    last = (low + high) // 2
    for bar in bars[:-1]:
        if not bar.plays("counter"):
            continue
        velocity = round(56 + 30 * bar.plan.energy)
        for span in bar.chords:
            pcs = chord_pcs(span.chord)
            guides = {pcs[place] for place in (1, 3) if place < len(pcs)} or set(pcs)
            pitch = _nearest(guides, last, low, high)
            start = bar.onset_ql + span.onset_ql
            if bar.number in busy or span.length_ql < 2:
                out.append(GridNote(start, span.length_ql * Fraction(19, 20), pitch, velocity))
                last = pitch
                continue
            answer = _nearest(set(pcs) - {pitch % 12}, pitch + 3, low, high + 5)
            half = span.length_ql / 2
            out.append(GridNote(start, half, pitch, velocity + 6))
            out.append(GridNote(start + half, half * Fraction(19, 20), answer, velocity + 2))
            last = answer
    return out


def _nearest(pcs: set[int], near: int, low: int, high: int) -> int:
    candidates = [pitch for pitch in range(low, high + 1) if pitch % 12 in pcs]
    return min(candidates, key=lambda pitch: (abs(pitch - near), pitch))
