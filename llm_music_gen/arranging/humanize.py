"""How people play: swing, late snares, small deviations of time and loudness. Machine styles stay on the grid."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from llm_music_gen.arranging.played import GridNote
from llm_music_gen.domain.score import PlayedNote
from llm_music_gen.styles import Style

_SNARES = frozenset((37, 38, 39, 40))
_SHORTEST_QL = 0.05
#: No deviation beyond this many standard deviations: a wrong note is not human feel.
_MOST = 2.0


def performed(
    notes: Sequence[GridNote], role: str, style: Style, quarter_bpm: float, end_ql: float, rng: np.random.Generator
) -> tuple[PlayedNote, ...]:
    """Notes as played, in order of onset. Nothing begins before the song or ends after `end_ql`."""
    human = style.humanize
    ms_to_ql = quarter_bpm / 60_000.0
    offset_ms = human.offset_ms.get(role, 0.0)  # type: ignore[call-overload]
    # Timing noise of players is correlated: part of the deviation is carried from note to note.
    steps, alone, loudness = (draws.tolist() for draws in rng.standard_normal((3, len(notes))))
    drift = 0.0
    out = []
    ordered = sorted(notes, key=lambda note: (note.onset_ql, note.pitch, -note.duration_ql))
    for note, step, own, loud in zip(ordered, steps, alone, loudness, strict=True):
        drift = 0.9 * drift + 0.4 * step
        late_ms = offset_ms + human.jitter_ms * _within(0.6 * drift + 0.6 * own)
        if role == "drums" and note.pitch in _SNARES:
            late_ms += human.backbeat_ms
        start = min(max(0.0, _swung(note.onset_ql, style) + late_ms * ms_to_ql), end_ql - _SHORTEST_QL)
        length = max(_SHORTEST_QL, min(float(note.duration_ql), end_ql - start))
        velocity = round(note.velocity + human.velocity * 0.6 * _within(loud))
        out.append(PlayedNote(start, length, note.pitch, min(127, max(1, velocity))))
    if role == "chords" and human.jitter_ms and style.comp.strum_ms:
        out = _strummed(out, style.comp.strum_ms * ms_to_ql)
    return tuple(sorted(out, key=lambda note: (note.onset_ql, note.pitch)))


def _within(deviation: float) -> float:
    return min(_MOST, max(-_MOST, deviation))


def _swung(onset_ql: Fraction, style: Style) -> float:
    """Off-beats moved to their place in the pair: 50 % is straight, 66.7 % a triplet."""
    for unit, percent in ((Fraction(1, 2), style.swing_8), (Fraction(1, 4), style.swing_16)):
        if percent == 50 or onset_ql % unit:
            continue
        pair, inside = divmod(onset_ql, 2 * unit)
        if inside == unit:
            return float(pair * 2 * unit) + float(2 * unit) * percent / 100.0
    return float(onset_ql)


def _strummed(notes: list[PlayedNote], spread_ql: float) -> list[PlayedNote]:
    """Chords rolled from the bottom: notes that begin together on the grid begin one after the other."""
    groups: dict[float, list[PlayedNote]] = {}
    for note in notes:
        groups.setdefault(round(note.onset_ql * 8) / 8, []).append(note)
    out = []
    for group in groups.values():
        first = min(note.onset_ql for note in group)
        ordered = sorted(group, key=lambda note: note.pitch)
        for place, note in enumerate(ordered):
            late = spread_ql * place / max(1, len(ordered) - 1)
            length = max(_SHORTEST_QL, note.duration_ql - late)
            out.append(PlayedNote(first + late, length, note.pitch, note.velocity))
    return out
