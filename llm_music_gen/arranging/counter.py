"""One more voice: it holds the tones that make a chord what it is, and answers with the tune's motif where the tune rests."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from llm_music_gen.arranging.harmony import chord_pcs
from llm_music_gen.arranging.melody import Sung
from llm_music_gen.arranging.played import GridNote
from llm_music_gen.arranging.timeline import Bar
from llm_music_gen.domain.key import Key
from llm_music_gen.styles import Style

#: The countermelody keeps this far below the tune's compass.
_BELOW = 7
#: A rest of the tune that is long enough for an answer.
_GAP_QL = Fraction(3, 2)
_MOTIF_NOTES = 3
_LEGATO = Fraction(19, 20)


def counter_line(bars: list[Bar], tune: list[Sung], style: Style, key: Key) -> list[GridNote]:
    """Guide tones (thirds and sevenths), a step apart where they can be; in rests of the tune its motif again, on the chord."""
    low, high = style.lead.compass[0] - _BELOW, style.lead.compass[1] - _BELOW
    by_bar: dict[int, list[Sung]] = {}
    for note in tune:
        by_bar.setdefault(int(note.onset_ql // bars[0].length_ql), []).append(note)
    motifs: dict[str, list[Sung]] = {}
    last = (low + high) // 2
    out: list[GridNote] = []
    for bar in bars[:-1]:
        here = by_bar.get(bar.number, [])
        if len(here) >= _MOTIF_NOTES:
            motifs.setdefault(bar.plan.label, here[:_MOTIF_NOTES])
        if not bar.plays("counter"):
            continue
        velocity = round(56 + 30 * bar.plan.energy)
        silent_from = max((note.onset_ql + note.duration_ql for note in here), default=bar.onset_ql) - bar.onset_ql
        motif = motifs.get(bar.plan.label, [])
        answers = bool(motif) and bar.length_ql - silent_from >= _GAP_QL
        until = max(silent_from, bar.length_ql / 2) if answers else bar.length_ql
        for span in bar.chords:
            end = min(span.onset_ql + span.length_ql, until)
            if end <= span.onset_ql:
                continue
            last = _nearest(_guides(chord_pcs(span.chord)), last, low, high)
            out.append(GridNote(bar.onset_ql + span.onset_ql, (end - span.onset_ql) * _LEGATO, last, velocity))
        if answers:
            answer = _answer(motif, bar, until, last, (low, high + 5), key, velocity + 4)
            out += answer
            last = answer[-1].pitch if answer else last
    return out


def _answer(
    motif: list[Sung], bar: Bar, start_ql: Fraction, near: int, compass: tuple[int, int], key: Key, velocity: int
) -> list[GridNote]:
    """The motif's rhythm and contour from `start_ql` to the end of the bar, its first and last note on the chord."""
    out: list[GridNote] = []
    first = motif[0]
    for place, note in enumerate(motif):
        onset = start_ql + note.onset_ql - first.onset_ql
        if onset >= bar.length_ql:
            break
        ends_here = place + 1 == len(motif) or start_ql + motif[place + 1].onset_ql - first.onset_ql >= bar.length_ql
        tones: Sequence[int] = chord_pcs(bar.chord_at(onset)) if place == 0 or ends_here else key.scale_pcs
        wanted = near if not out else out[0].pitch + note.pitch - first.pitch
        pitch = _nearest(set(tones), wanted, *compass)
        length = bar.length_ql - onset if ends_here else min(note.duration_ql, bar.length_ql - onset)
        out.append(GridNote(bar.onset_ql + onset, length * _LEGATO, pitch, velocity))
    return out


def _guides(pcs: tuple[int, ...]) -> set[int]:
    return {pcs[place] for place in (1, 3) if place < len(pcs)} or set(pcs)


def _nearest(pcs: set[int], near: int, low: int, high: int) -> int:
    candidates = [pitch for pitch in range(low, high + 1) if pitch % 12 in pcs]
    return min(candidates, key=lambda pitch: (abs(pitch - near), pitch))
