"""Changes a written tune and its theme by rule: key, mode, metre, tempo, form, calmer or livelier. Pure functions.

Bars are those of the song as it is heard, counted from 0. A section that changes while others with its label do not gets a
label of its own, so that the score says what is played.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from llm_music_gen.composing.editing_form import Written, places, tail_s, with_form, with_length, with_material, writable
from llm_music_gen.domain.edit import Bars
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.modes import DOMINANT_ROOTS, in_mode
from llm_music_gen.domain.score import ChordSymbol, LeadSection, Note
from llm_music_gen.errors import UsageError
from llm_music_gen.notation.chords import QUALITIES

#: Metres that can be exchanged: the first two beats stay, the third lasts one beat or two.
METERS = (Meter(3, 4), Meter(4, 4))
_SPLIT_QL = 2
_LOWEST, _HIGHEST = 48, 96


def at_tempo(written: Written, bpm: float) -> Written:
    """The same at another tempo; the tail keeps its seconds."""
    theme = with_length(replace(written.theme, tempo_bpm=bpm), tail_s(written.theme))
    return replace(written, theme=theme, sheet=replace(written.sheet, tempo_bpm=bpm))


def transposed(written: Written, semitones: int, key: Key, bars: Bars = None) -> Written:
    """Every note and chord of these bars moved, the song's key with the whole of them.

    A section that would leave the staff's reach comes back by an octave.
    """
    bar_ql = written.theme.meter.bar_ql

    def moved(section: LeadSection, first: int, stop: int) -> LeadSection:
        low, high = first * bar_ql, stop * bar_ql
        pitches = [note.pitch + semitones for note in section.notes if low <= note.onset_ql < high]
        shift = semitones
        if pitches and semitones > 0 and max(pitches) > _HIGHEST:
            shift -= 12
        if pitches and semitones < 0 and min(pitches) < _LOWEST:
            shift += 12
        notes = tuple(replace(n, pitch=n.pitch + shift) if low <= n.onset_ql < high else n for n in section.notes)
        chords = tuple(_chord_moved(c, semitones) if low <= c.onset_ql < high else c for c in section.chords)
        return replace(section, notes=notes, chords=chords)

    if bars is not None:
        return with_material(written, bars, moved)
    # Beyond what is heard of a material, too.
    sections = tuple(moved(section, 0, section.bars) for section in written.sheet.sections)
    return replace(written, theme=replace(written.theme, key=key), sheet=replace(written.sheet, key=key, sections=sections))


def _chord_moved(chord: ChordSymbol, semitones: int) -> ChordSymbol:
    bass = None if chord.bass_pc is None else (chord.bass_pc + semitones) % 12
    return replace(chord, root_pc=(chord.root_pc + semitones) % 12, bass_pc=bass)


def modal(written: Written, mode: str, bars: Bars = None) -> Written:
    """Notes and chords on the same degrees in `mode`. For the whole song its key changes, too."""
    key, bar_ql = written.theme.key, written.theme.meter.bar_ql
    if bars is not None:
        return with_material(written, bars, lambda section, first, stop: _modal_section(section, first, stop, key, mode, bar_ql))
    sections = tuple(_modal_section(section, 0, section.bars, key, mode, bar_ql) for section in written.sheet.sections)
    new_key = Key.from_pc(key.tonic_pc, mode)
    sheet = replace(written.sheet, key=new_key, sections=sections)
    return replace(written, theme=replace(written.theme, key=new_key), sheet=sheet)


def _modal_section(section: LeadSection, first: int, stop: int, key: Key, mode: str, bar_ql: Fraction) -> LeadSection:
    def meant(onset: Fraction) -> bool:
        return first * bar_ql <= onset < stop * bar_ql

    def dominant(onset: Fraction) -> bool:
        under = [chord for chord in section.chords if chord.onset_ql <= onset]
        return bool(under) and (under[-1].root_pc - key.tonic_pc) % 12 in DOMINANT_ROOTS

    notes = tuple(
        replace(note, pitch=in_mode(note.pitch, key, mode, dominant=dominant(note.onset_ql))) if meant(note.onset_ql) else note
        for note in section.notes
    )
    chords = tuple(modal_chord(chord, key, mode) if meant(chord.onset_ql) else chord for chord in section.chords)
    return replace(section, notes=notes, chords=chords)


def modal_chord(chord: ChordSymbol, key: Key, mode: str) -> ChordSymbol:
    """The chord with each of its tones in `mode`; where no symbol has those tones, as many as the nearest symbol has."""
    dominant = (chord.root_pc - key.tonic_pc) % 12 in DOMINANT_ROOTS
    root = in_mode(chord.root_pc, key, mode, dominant=dominant) % 12
    tones = tuple(
        (in_mode((chord.root_pc + step) % 12, key, mode, dominant=dominant) - root) % 12 for step in QUALITIES[chord.quality]
    )
    known = {tuple(step % 12 for step in steps): name for name, steps in QUALITIES.items()}
    quality = known.get(tones) or known.get(tones[:4]) or known.get(tones[:3])
    if quality is None:
        quality = min(QUALITIES, key=lambda name: len(set(tones) ^ {step % 12 for step in QUALITIES[name]}))
    bass = None if chord.bass_pc is None else in_mode(chord.bass_pc, key, mode, dominant=dominant) % 12
    return replace(chord, root_pc=root, quality=quality, bass_pc=bass)


def in_meter(written: Written, meter: Meter) -> Written:
    """3/4 for 4/4 or the other way round, bar for bar: beats one and two stay, the third takes one beat or two.

    Strong beats remain strong beats. There and back again is the same tune. Raises UsageError for other metres.
    """
    old = written.theme.meter
    if meter == old:
        return written
    if old not in METERS or meter not in METERS:
        raise UsageError(
            f"{old} cannot be turned into {meter} note by note.", hint=f"Make another song like it with --meter {meter}."
        )
    factor = (meter.bar_ql - _SPLIT_QL) / (old.bar_ql - _SPLIT_QL)

    def moved(at: Fraction) -> Fraction:
        bar, inside = divmod(at, old.bar_ql)
        if inside > _SPLIT_QL:
            inside = _SPLIT_QL + (inside - _SPLIT_QL) * factor
        return bar * meter.bar_ql + inside

    sections = tuple(
        writable(
            replace(
                section,
                notes=tuple(
                    Note(moved(note.onset_ql), moved(note.onset_ql + note.duration_ql) - moved(note.onset_ql), note.pitch)
                    for note in section.notes
                ),
                chords=tuple(replace(chord, onset_ql=moved(chord.onset_ql)) for chord in section.chords),
            ),
            written.theme.key,
            meter,
        )
        for section in written.sheet.sections
    )
    theme = with_length(replace(written.theme, meter=meter), tail_s(written.theme))
    return replace(written, theme=theme, sheet=replace(written.sheet, meter=meter, sections=sections))


def livened(written: Written, steps: int, bars: Bars = None) -> Written:
    """Calmer below 0: a quarter less energy a step, and fewer, longer notes in the tune; above 0 more energy."""
    meter = written.theme.meter
    covered = {
        index for index, first, stop in places(written.theme, bars) if 2 * (stop - first) >= written.theme.form[index].bars
    }
    form = tuple(
        replace(plan, energy=round(min(1.0, max(0.05, plan.energy + 0.25 * steps)), 4)) if index in covered else plan
        for index, plan in enumerate(written.theme.form)
    )
    written = replace(written, theme=replace(written.theme, form=form))
    if steps >= 0:
        return written
    return with_material(written, bars, lambda section, first, stop: _thinned(section, first, stop, -steps, meter))


def _thinned(section: LeadSection, first: int, stop: int, steps: int, meter: Meter) -> LeadSection:
    """The bars with the notes that matter most; those that stay last into the places of the others."""
    out: list[Note] = []
    for bar in range(section.bars):
        start = bar * meter.bar_ql
        here = [note for note in section.notes if start <= note.onset_ql < start + meter.bar_ql]
        if first <= bar < stop and len(here) > 1:
            keep = max(1, round(len(here) * (1 - 0.25 * min(3, steps))))
            ranked = sorted(here, key=lambda note: (-_weight(note, note.onset_ql - start, meter), note.onset_ql))
            kept = sorted(ranked[:keep], key=lambda note: note.onset_ql)
            last_end = max(note.onset_ql + note.duration_ql for note in here)
            ends = [note.onset_ql for note in kept[1:]] + [max(last_end, kept[-1].onset_ql + kept[-1].duration_ql)]
            here = [replace(note, duration_ql=end - note.onset_ql) for note, end in zip(kept, ends, strict=True)]
        out += here
    return replace(section, notes=tuple(out))


def _weight(note: Note, at: Fraction, meter: Meter) -> float:
    metric = 3.0 if at == 0 else 2.0 if at == meter.bar_ql / 2 else 1.5 if at % meter.beat_ql == 0 else 0.0
    return metric + float(note.duration_ql)


def titled(written: Written, title: str) -> Written:
    """With another name."""
    return replace(written, theme=replace(written.theme, title=title), sheet=replace(written.sheet, title=title))


def with_new_material(written: Written, bars: tuple[int, int], section: LeadSection) -> Written:
    """Every section that lies in these bars plays `section` instead of its own material."""
    meant = {index for index, first, stop in places(written.theme, bars) if stop - first == written.theme.form[index].bars}
    form = tuple(replace(plan, label=section.label) if index in meant else plan for index, plan in enumerate(written.theme.form))
    sections = (*(known for known in written.sheet.sections if known.label != section.label), section)
    written = replace(written, sheet=replace(written.sheet, sections=sections))
    return with_form(written, form, tail_s(written.theme))
