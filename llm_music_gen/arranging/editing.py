"""Changes what a band has played, note by note, and nothing else: what is not meant stays as it was, to the last bit.

Bars are counted from 0. A note belongs to the bar on whose grid it lies: players come a little early or late.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from llm_music_gen.domain.edit import Bars
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.modes import DOMINANT_ROOTS, in_mode
from llm_music_gen.domain.score import Arrangement, Part, PlayedNote
from llm_music_gen.styles import Instrument
from llm_music_gen.units import SAMPLE_RATE_HZ, ql_to_seconds, seconds_to_ql

#: How much earlier than a bar line a note of that bar may come.
EARLY_QL = 0.12
_SHORTEST_QL = 0.05
_UNPITCHED = ("drums", "percussion", "fx")
#: Roles that leave when it gets calmer, by steps.
_LEAVE = (frozenset[str](), frozenset(("fx", "arp", "counter")), frozenset(("fx", "arp", "counter", "drums", "sub")))
#: Drums that only decorate: what is left without them is the beat.
_ORNAMENTS = frozenset((46, 49, 51, 53, 54, 55, 56, 57, 59, *range(60, 82)))
_GHOST_VELOCITY = 50
#: What a step calmer or bigger adds to the level of the bars.
_STEP_DB = 2.0
#: How long the level takes to change.
_RAMP_QL = 0.25
Notes = Iterable[PlayedNote]


def transposed(band: Arrangement, semitones: int, key: Key, bars: Bars = None) -> Arrangement:
    """Every pitched part moved in these bars; a note that its instrument does not have comes an octave nearer."""
    inside = within_bars(band, bars)
    changed = each(band, lambda part: _pitched(part, lambda note: note.pitch + semitones if inside(note) else note.pitch))
    return changed if bars is not None else replace(changed, key=key)


def modal(band: Arrangement, key: Key, mode: str, bars: Bars = None) -> Arrangement:
    """Pitched notes of these bars on the same degrees in `mode`; over dominants the leading note stays."""
    bass = next((part.notes for part in band.parts if part.role == "bass"), ())
    onsets = [note.onset_ql for note in bass]

    def dominant(at_ql: float) -> bool:
        place = bisect_right(onsets, at_ql + EARLY_QL) - 1
        return place >= 0 and (bass[place].pitch - key.tonic_pc) % 12 in DOMINANT_ROOTS

    inside = within_bars(band, bars)

    def pitch(note: PlayedNote) -> int:
        return in_mode(note.pitch, key, mode, dominant=dominant(note.onset_ql)) if inside(note) else note.pitch

    changed = each(band, lambda part: _pitched(part, pitch))
    return changed if bars is not None else replace(changed, key=Key.from_pc(key.tonic_pc, mode))


def at_tempo(band: Arrangement, bpm: float, music_ql: float, length_frames: int) -> Arrangement:
    """The same at another tempo. What rings on after the last bar (`music_ql`) keeps its seconds."""
    factor = bpm / band.tempo_bpm

    def stretched(note: PlayedNote) -> PlayedNote:
        over = note.onset_ql + note.duration_ql - music_ql
        if over <= 0:
            return note
        return replace(note, duration_ql=max(_SHORTEST_QL, note.duration_ql - over + over * factor))

    changed = each(band, lambda part: replace(part, notes=tuple(stretched(note) for note in part.notes)))
    return replace(changed, tempo_bpm=bpm, length_frames=length_frames)


def swung(band: Arrangement, old_percent: float, percent: float) -> Arrangement:
    """The off-beat eighth of every pair moved from one place to another, and everything between along with it."""
    old, new = old_percent / 100, percent / 100

    def warped(at_ql: float) -> float:
        pair, inside = divmod(at_ql, 1.0)
        return pair + (inside * new / old if inside <= old else new + (inside - old) * (1 - new) / (1 - old))

    def note_moved(note: PlayedNote) -> PlayedNote:
        onset = warped(note.onset_ql)
        return replace(note, onset_ql=onset, duration_ql=max(_SHORTEST_QL, warped(note.onset_ql + note.duration_ql) - onset))

    return each(band, lambda part: replace(part, notes=in_order(map(note_moved, part.notes))))


def on_instrument(band: Arrangement, role: str, instrument: Instrument, bars: Bars = None) -> Arrangement:
    """The part of a role on another instrument; in some bars only, another part takes over there."""
    parts: list[Part] = []
    inside = within_bars(band, bars)
    for part in band.parts:
        if part.role != role:
            parts.append(part)
            continue
        taken = on(replace(part, notes=tuple(note for note in part.notes if inside(note))), instrument)
        left = tuple(note for note in part.notes if not inside(note))
        parts += [replace(part, notes=left)] if left else []
        parts += [taken] if taken.notes else []
    return replace(band, parts=named(parts))


def silenced(band: Arrangement, roles: Sequence[str], bars: Bars = None) -> Arrangement:
    """Without the roles in these bars; what sounds into them ends there."""
    low, high = span(band, bars)
    parts = []
    for part in band.parts:
        if part.role in roles:
            kept = (note for note in part.notes if not low <= note.onset_ql + EARLY_QL < high)
            part = replace(part, notes=tuple(ended(note, low) if note.onset_ql + EARLY_QL < low else note for note in kept))
        if part.notes:
            parts.append(part)
    return replace(band, parts=tuple(parts))


def louder(band: Arrangement, db: float, roles: Sequence[str] = (), bars: Bars = None) -> Arrangement:
    """Parts louder by `db` through their level, in some bars by how they are struck; all of them through the band's level."""
    inside = within_bars(band, bars)
    if bars is not None and not roles:
        return levelled(band, db, bars)

    def changed(part: Part) -> Part:
        if roles and part.role not in roles:
            return part
        if bars is None:
            return replace(part, gain_db=part.gain_db + db)
        # General MIDI: 40 log10 of the velocity is its level.
        return _struck(part, 10 ** (db / 40), inside)

    return each(band, changed)


def livened(band: Arrangement, steps: int, bars: Bars = None) -> Arrangement:
    """Calmer below 0: softer, without ornaments, then without layers, the tune in fewer and longer notes. Above 0 stronger."""
    inside = within_bars(band, bars)
    factor = max(0.5, min(1.3, 1 + (0.13 if steps < 0 else 0.1) * steps))
    if steps < 0:
        band = silenced(band, tuple(_LEAVE[min(-steps, len(_LEAVE) - 1)]), bars)

    def changed(part: Part) -> Part:
        if steps < 0 and part.is_drums:
            notes = tuple(n for n in part.notes if not inside(n) or (n.pitch not in _ORNAMENTS and n.velocity >= _GHOST_VELOCITY))
            part = replace(part, notes=notes)
        if steps < 0 and part.role == "melody":
            part = replace(part, notes=_thinned(part.notes, inside, -steps, float(band.meter.bar_ql), float(band.meter.beat_ql)))
        return _struck(part, factor, inside)

    out = each(band, changed)
    out = replace(out, parts=tuple(part for part in out.parts if part.notes))
    return out if bars is None else levelled(out, _STEP_DB * steps, bars)


@dataclass(frozen=True, slots=True)
class Splice:
    """What is taken from another performance of the same bars."""

    bars: Bars = None
    roles: tuple[str, ...] = ()
    """None named: everyone."""


def spliced(band: Arrangement, other: Arrangement, splice: Splice) -> Arrangement:
    """The band with the bars of another performance; outside them every note stays."""
    inside = within_bars(band, splice.bars)
    low, _ = span(band, splice.bars)

    def meant(part: Part) -> bool:
        return not splice.roles or part.role in splice.roles

    parts: list[Part] = []
    for part in band.parts:
        if meant(part):
            kept = (note for note in part.notes if not inside(note))
            part = replace(part, notes=tuple(ended(n, low) if n.onset_ql + EARLY_QL < low else n for n in kept))
        parts.append(part)
    for part in other.parts:
        if meant(part):
            parts = joined(parts, replace(part, notes=tuple(note for note in part.notes if inside(note))))
    return replace(band, parts=named(part for part in parts if part.notes))


def joined(parts: Sequence[Part], more: Part) -> list[Part]:
    """The parts with the notes of another: in the part with the same role and sound, or as a part of its own."""
    out = list(parts)
    for place, part in enumerate(out):
        if (part.role, part.program, part.bank, part.voice) == (more.role, more.program, more.bank, more.voice):
            out[place] = replace(part, notes=in_order([*part.notes, *more.notes]))
            return out
    return [*out, more] if more.notes else out


def doubled(source: Part, role: str, instrument: Instrument, bars: Bars, band: Arrangement) -> Part:
    """A new part that plays along with another one, an octave higher where the instrument has room, and softer."""
    inside = within_bars(band, bars)
    notes = [note for note in source.notes if inside(note)]
    high = instrument.range[1]
    if source.role in ("melody", "counter") and all(note.pitch + 12 <= high for note in notes):
        notes = [replace(note, pitch=note.pitch + 12) for note in notes]
    notes = [replace(note, velocity=max(1, note.velocity - 10)) for note in notes]
    part = replace(source, role=role, notes=tuple(notes), gain_db=source.gain_db - 4.0, pan=-source.pan or 0.25)
    return on(part, instrument)


def held(source: Part, instrument: Instrument, bars: Bars, band: Arrangement) -> Part:
    """A pad under another part: in every bar the pitches that it strikes first, held to the end of the bar."""
    inside = within_bars(band, bars)
    bar_ql = float(band.meter.bar_ql)
    by_bar: dict[int, list[PlayedNote]] = {}
    for note in source.notes:
        if inside(note):
            by_bar.setdefault(int((note.onset_ql + EARLY_QL) // bar_ql), []).append(note)
    notes = []
    for bar, struck in by_bar.items():
        first = min(note.onset_ql for note in struck)
        pitches = sorted({note.pitch for note in struck if note.onset_ql < first + 0.25})
        notes += [PlayedNote(max(0.0, bar * bar_ql), bar_ql, pitch, 58) for pitch in pitches]
    part = replace(source, role="pad", notes=in_order(notes), gain_db=-8.0, reverb_send=0.4, pan=0.0, is_drums=False)
    return on(part, instrument)


def plays(band: Arrangement, role: str, bars: Bars = None) -> bool:
    """Whether a role sounds in these bars."""
    inside = within_bars(band, bars)
    return any(part.role == role and any(inside(note) for note in part.notes) for part in band.parts)


def music_ql(band: Arrangement) -> float:
    """Length of the sound in quarter notes, tail included."""
    return seconds_to_ql(band.length_frames / SAMPLE_RATE_HZ, band.quarter_bpm)


def bar_at(band: Arrangement, at_s: float) -> int:
    """The bar that sounds at a time."""
    return int(at_s / ql_to_seconds(float(band.meter.bar_ql), band.quarter_bpm))


def _thinned(
    notes: Sequence[PlayedNote], inside: Callable[[PlayedNote], bool], steps: int, bar_ql: float, beat_ql: float
) -> tuple[PlayedNote, ...]:
    """In each bar the notes that carry the tune; those that stay last up to the next."""
    bars: dict[int, list[PlayedNote]] = {}
    for note in notes:
        bars.setdefault(int((note.onset_ql + EARLY_QL) // bar_ql), []).append(note)
    out: list[PlayedNote] = []
    for bar, here in bars.items():
        if len(here) > 1 and inside(here[0]):
            keep = max(1, round(len(here) * (1 - 0.25 * min(3, steps))))

            def weight(note: PlayedNote, start: float = bar * bar_ql) -> float:
                off = abs((note.onset_ql - start) / beat_ql - round((note.onset_ql - start) / beat_ql))
                return note.duration_ql + (2.0 if note.onset_ql - start < EARLY_QL else 1.0 if off < 0.15 else 0.0)

            kept = sorted(sorted(here, key=lambda n: (-weight(n), n.onset_ql))[:keep], key=lambda n: n.onset_ql)
            last = here[-1].onset_ql + here[-1].duration_ql
            ends = [note.onset_ql for note in kept[1:]] + [max(last, kept[-1].onset_ql + kept[-1].duration_ql)]
            here = [
                replace(n, duration_ql=max(n.duration_ql, min(end - n.onset_ql, 3 * n.duration_ql)))
                for n, end in zip(kept, ends, strict=True)
            ]
        out += here
    return in_order(out)


def each(band: Arrangement, change: Callable[[Part], Part]) -> Arrangement:
    return replace(band, parts=tuple(change(part) for part in band.parts))


def _pitched(part: Part, pitch: Callable[[PlayedNote], int]) -> Part:
    if part.is_drums or part.role in _UNPITCHED:
        return part
    instrument = Instrument(part.name, part.program, part.voice)
    return replace(part, notes=in_order(replace(note, pitch=_within(pitch(note), instrument, note.pitch)) for note in part.notes))


def _within(pitch: int, instrument: Instrument, known: int) -> int:
    """The pitch within the instrument's range, which the note it came from may have left already."""
    low, high = min(known, instrument.range[0]), max(known, instrument.range[1])
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch


def on(part: Part, instrument: Instrument) -> Part:
    """The part on an instrument, in its range."""
    low, high = instrument.range
    notes = []
    for note in part.notes:
        pitch = note.pitch
        while pitch < low:
            pitch += 12
        while pitch > high:
            pitch -= 12
        notes.append(replace(note, pitch=pitch))
    name = instrument.name.capitalize()
    return replace(part, name=name, program=instrument.program, voice=instrument.voice, bank=0, notes=in_order(notes))


def _struck(part: Part, factor: float, inside: Callable[[PlayedNote], bool]) -> Part:
    notes = tuple(
        replace(note, velocity=min(127, max(1, round(note.velocity * factor)))) if inside(note) else note for note in part.notes
    )
    return replace(part, notes=notes)


def named(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts, each with a name of its own."""
    out: list[Part] = []
    for part in parts:
        taken, name, number = {other.name for other in out}, part.name, 1
        if name in taken:
            name = f"{part.name.split(' (')[0]} ({part.role})"
        plain = name
        while name in taken:
            number += 1
            name = f"{plain} {number}"
        out.append(replace(part, name=name))
    return tuple(out)


def span(band: Arrangement, bars: Bars) -> tuple[float, float]:
    if bars is None:
        return float("-inf"), float("inf")
    bar_ql = float(band.meter.bar_ql)
    return bars[0] * bar_ql, bars[1] * bar_ql


def within_bars(band: Arrangement, bars: Bars) -> Callable[[PlayedNote], bool]:
    low, high = span(band, bars)
    return lambda note: low <= note.onset_ql + EARLY_QL < high


def ended(note: PlayedNote, end_ql: float, *, only: bool = True) -> PlayedNote:
    """The note, not longer than to `end_ql`."""
    if not only or note.onset_ql + note.duration_ql <= end_ql:
        return note
    return replace(note, duration_ql=max(_SHORTEST_QL, end_ql - note.onset_ql))


def moved(note: PlayedNote, by_ql: float) -> PlayedNote:
    return replace(note, onset_ql=max(0.0, note.onset_ql + by_ql))


def in_order(notes: Notes) -> tuple[PlayedNote, ...]:
    return tuple(sorted(notes, key=lambda note: (note.onset_ql, note.pitch)))


def levelled(band: Arrangement, db: float, bars: tuple[int, int]) -> Arrangement:
    """The whole band louder by `db` in these bars, on top of the line that its level follows already."""
    low, high = span(band, bars)
    known = sorted(band.levels)
    places = sorted({low - _RAMP_QL, low, high - _RAMP_QL, high, *(at for at, _ in known)})

    def level(at: float) -> float:
        if not known:
            return 0.0
        place = bisect_right(known, (at, math.inf))
        if place == 0 or place == len(known):
            return known[min(place, len(known) - 1)][1]
        (before, gain), (after, target) = known[place - 1], known[place]
        return gain + (target - gain) * (at - before) / (after - before)

    levels = tuple((at, level(at) + (db if low <= at < high - _RAMP_QL / 2 else 0.0)) for at in places if at >= 0)
    return replace(band, levels=levels)
