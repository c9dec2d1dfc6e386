"""Changes a written tune and its theme by rule: key, mode, metre, tempo, form, calmer or livelier. Pure functions.

Bars are those of the song as it is heard, counted from 0. A section that changes while others with its label do not gets a
label of its own, so that the score says what is played.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from string import ascii_uppercase

from llm_music_gen.domain.edit import Bars
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.modes import DOMINANT_ROOTS, in_mode
from llm_music_gen.domain.score import ChordSymbol, LeadSection, LeadSheet, Note
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.errors import NotationError, UsageError
from llm_music_gen.notation.chords import QUALITIES
from llm_music_gen.notation.spec import default_unit
from llm_music_gen.notation.writer import section_text
from llm_music_gen.units import SAMPLE_RATE_HZ, seconds_to_frames

#: Metres that can be exchanged: the first two beats stay, the third lasts one beat or two.
METERS = (Meter(3, 4), Meter(4, 4))
_SPLIT_QL = 2
#: Where a rhythm cannot be written any more, onsets move to this grid.
_GRID_QL = Fraction(1, 4)
_LOWEST, _HIGHEST = 48, 96
Change = Callable[[LeadSection, int, int], LeadSection]
"""A section, and the first and last-but-one of its written bars that are meant."""


@dataclass(frozen=True, slots=True)
class Written:
    """What is decided and written of a song."""

    theme: Theme
    sheet: LeadSheet
    augment: int = 1
    """How many bars of the song a written bar takes."""


def at_tempo(written: Written, bpm: float) -> Written:
    """The same at another tempo; the tail keeps its seconds."""
    theme = with_length(replace(written.theme, tempo_bpm=bpm), tail_s(written.theme))
    return replace(written, theme=theme, sheet=replace(written.sheet, tempo_bpm=bpm))


def transposed(written: Written, semitones: int, key: Key) -> Written:
    """Every note and chord moved. The tune stays within reach: an octave is added or taken where all of it would leave it."""
    pitches = [note.pitch + semitones for section in written.sheet.sections for note in section.notes]
    shift = semitones
    while pitches and max(pitches) + shift - semitones > _HIGHEST and min(pitches) + shift - semitones - 12 >= _LOWEST:
        shift -= 12
    while pitches and min(pitches) + shift - semitones < _LOWEST and max(pitches) + shift - semitones + 12 <= _HIGHEST:
        shift += 12
    sections = tuple(
        replace(
            section,
            notes=tuple(replace(note, pitch=note.pitch + shift) for note in section.notes),
            chords=tuple(
                replace(
                    chord,
                    root_pc=(chord.root_pc + semitones) % 12,
                    bass_pc=None if chord.bass_pc is None else (chord.bass_pc + semitones) % 12,
                )
                for chord in section.chords
            ),
        )
        for section in written.sheet.sections
    )
    return replace(written, theme=replace(written.theme, key=key), sheet=replace(written.sheet, key=key, sections=sections))


def modal(written: Written, mode: str, bars: Bars = None) -> Written:
    """Notes and chords on the same degrees in `mode`. For the whole song its key changes, too."""
    key, bar_ql = written.theme.key, written.theme.meter.bar_ql
    changed = with_material(written, bars, lambda section, first, stop: _modal_section(section, first, stop, key, mode, bar_ql))
    if bars is not None:
        return changed
    new_key = Key.from_pc(key.tonic_pc, mode)
    return replace(changed, theme=replace(changed.theme, key=new_key), sheet=replace(changed.sheet, key=new_key))


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


def cut(written: Written, bars: tuple[int, int]) -> Written:
    """Without these bars. Raises UsageError where nothing would remain."""
    theme = written.theme
    meant = {index: (first, stop) for index, first, stop in places(theme, bars)}
    if sum(stop - first for first, stop in meant.values()) >= theme.bars:
        raise UsageError("Nothing would remain of the song.", hint="Remove a part of it.")
    kept_bars = [
        plan.bars - (meant[index][1] - meant[index][0] if index in meant else 0) for index, plan in enumerate(theme.form)
    ]
    partly = [index for index in meant if kept_bars[index]]
    for index in partly:
        start, (first, stop) = start_of(written.theme, index), meant[index]
        span = (start + first, start + stop)
        written = with_material(written, span, lambda section, low, high: _without_bars(section, low, high, theme.meter.bar_ql))
    form = tuple(replace(plan, bars=size) for plan, size in zip(written.theme.form, kept_bars, strict=True) if size)
    return _with_form(written, form, tail_s(theme))


def _without_bars(section: LeadSection, first: int, stop: int, bar_ql: Fraction) -> LeadSection:
    stop = min(stop, section.bars)
    if stop - first >= section.bars:
        first += 1
    removed = (stop - first) * bar_ql
    if removed <= 0:
        return section
    low, high = first * bar_ql, stop * bar_ql
    notes = [
        replace(note, onset_ql=note.onset_ql - (removed if note.onset_ql >= high else 0), duration_ql=_up_to(note, low))
        for note in section.notes
        if not low <= note.onset_ql < high
    ]
    chords = [
        replace(chord, onset_ql=chord.onset_ql - (removed if chord.onset_ql >= high else 0))
        for chord in section.chords
        if not low <= chord.onset_ql < high
    ]
    sounding = [chord for chord in section.chords if low <= chord.onset_ql <= high]
    if sounding and high < section.bars * bar_ql and all(chord.onset_ql != low for chord in chords):
        chords.append(replace(sounding[-1], onset_ql=low))  # what sounded into the bars after the gap still does
    chords.sort(key=lambda chord: chord.onset_ql)
    return replace(section, bars=section.bars - (stop - first), notes=tuple(notes), chords=tuple(chords))


def _up_to(note: Note, end: Fraction) -> Fraction:
    return min(note.duration_ql, end - note.onset_ql) if note.onset_ql < end else note.duration_ql


def repeated(written: Written, bars: tuple[int, int], times: int) -> Written:
    """These bars again after themselves; whole sections become sections of the form, others make their section longer."""
    theme = written.theme
    meant = list(places(theme, bars))
    whole = all(stop - first == theme.form[index].bars for index, first, stop in meant)
    if whole:
        last = meant[-1][0]
        again = tuple(theme.form[index] for index, _, _ in meant) * times
        return _with_form(written, (*theme.form[: last + 1], *again, *theme.form[last + 1 :]), tail_s(theme))
    if len(meant) > 1:
        raise UsageError("Bars of several sections cannot be repeated together.", hint="Name whole sections, or bars of one.")
    index, first, stop = meant[0]
    written = with_material(
        written, bars, lambda section, low, high: _with_bars_again(section, low, high, times, theme.meter.bar_ql)
    )
    form = list(written.theme.form)
    form[index] = replace(form[index], bars=form[index].bars + times * (stop - first))
    return _with_form(written, tuple(form), tail_s(theme))


def _with_bars_again(section: LeadSection, first: int, stop: int, times: int, bar_ql: Fraction) -> LeadSection:
    low, high, more = first * bar_ql, stop * bar_ql, (stop - first) * bar_ql
    notes: list[Note] = []
    chords: list[ChordSymbol] = []
    for turn in range(times + 1):
        notes += [
            replace(note, onset_ql=note.onset_ql + turn * more, duration_ql=_up_to(note, high))
            for note in section.notes
            if low <= note.onset_ql < high
        ]
        chords += [replace(c, onset_ql=c.onset_ql + turn * more) for c in section.chords if low <= c.onset_ql < high]
    before = [replace(note, duration_ql=_up_to(note, low)) for note in section.notes if note.onset_ql < low]
    after = [replace(note, onset_ql=note.onset_ql + times * more) for note in section.notes if note.onset_ql >= high]
    chords = [
        *(c for c in section.chords if c.onset_ql < low), *chords,
        *(replace(c, onset_ql=c.onset_ql + times * more) for c in section.chords if c.onset_ql >= high),
    ]  # fmt: skip
    bars = section.bars + times * (stop - first)
    return replace(section, bars=bars, notes=(*before, *notes, *after), chords=tuple(chords))


def titled(written: Written, title: str) -> Written:
    """With another name."""
    return replace(written, theme=replace(written.theme, title=title), sheet=replace(written.sheet, title=title))


def with_new_material(written: Written, bars: tuple[int, int], section: LeadSection) -> Written:
    """Every section that lies in these bars plays `section` instead of its own material."""
    meant = {index for index, first, stop in places(written.theme, bars) if stop - first == written.theme.form[index].bars}
    form = tuple(replace(plan, label=section.label) if index in meant else plan for index, plan in enumerate(written.theme.form))
    sections = (*(known for known in written.sheet.sections if known.label != section.label), section)
    written = replace(written, sheet=replace(written.sheet, sections=sections))
    return _with_form(written, form, tail_s(written.theme))


def free_label(written: Written) -> str:
    """A letter that no section has. Raises UsageError when all are taken."""
    taken = {section.label for section in written.sheet.sections} | {plan.label for plan in written.theme.form}
    for letter in ascii_uppercase:
        if letter not in taken:
            return letter
    raise UsageError("The song has as many different sections as there are letters.", hint="Change the whole song instead.")


def places(theme: Theme, bars: Bars) -> Iterator[tuple[int, int, int]]:
    """(index in the form, first, stop) for every section that the bars touch, bars counted from the section's own."""
    low, high = bars if bars is not None else (0, theme.bars)
    start = 0
    for index, plan in enumerate(theme.form):
        first, stop = max(low, start) - start, min(high, start + plan.bars) - start
        if stop > first:
            yield index, first, stop
        start += plan.bars


def start_of(theme: Theme, index: int) -> int:
    """The first bar of a section of the form."""
    return sum(plan.bars for plan in theme.form[:index])


def tail_s(theme: Theme) -> float:
    """How long the last chord sounds after the last bar."""
    return theme.length_frames / SAMPLE_RATE_HZ - theme.bars * theme.meter.bar_seconds(theme.tempo_bpm)


def with_length(theme: Theme, tail_length_s: float) -> Theme:
    """The theme as long as its bars and a tail."""
    music_s = theme.bars * theme.meter.bar_seconds(theme.tempo_bpm)
    return replace(theme, length_frames=seconds_to_frames(Fraction(music_s + max(0.5, tail_length_s)).limit_denominator(10**6)))


def with_material(written: Written, bars: Bars, change: Change) -> Written:
    """`change` what is written for these bars; sections that share it and are not meant keep theirs."""
    theme = written.theme
    groups: dict[tuple[str, int, int], list[int]] = {}
    for index, first, stop in places(theme, bars):
        material = _material(written, theme.form[index])
        heard = -(-theme.form[index].bars // written.augment)
        low, high = first // written.augment, -(-stop // written.augment)
        # Where all that is heard of a material is meant, what is written beyond it is, too.
        high = material.bars if stop == theme.form[index].bars and heard >= material.bars else min(high, material.bars)
        if first == 0 and stop == theme.form[index].bars:
            low, high = 0, material.bars
        groups.setdefault((theme.form[index].label, low, high), []).append(index)
    for (label, low, high), members in groups.items():
        form = written.theme.form
        if high <= low:
            continue
        material = _material(written, form[members[0]])
        changed = change(material, low, high)
        shared = any(plan.label == label and index not in members for index, plan in enumerate(form))
        own = free_label(written) if shared else material.label
        changed = replace(changed, label=own)
        sections = [section for section in written.sheet.sections if section.label != own]
        place = next((n for n, section in enumerate(written.sheet.sections) if section.label == own), len(sections))
        sections.insert(place, writable(changed, written.theme.key, written.theme.meter))
        form = tuple(replace(plan, label=own) if index in members else plan for index, plan in enumerate(form))
        written = replace(
            written,
            theme=replace(written.theme, form=form),
            sheet=replace(written.sheet, sections=tuple(sections), order=tuple(plan.label for plan in form)),
        )
    return written


def writable(section: LeadSection, key: Key, meter: Meter) -> LeadSection:
    """The section, its rhythm moved to sixteenths where it could not be written otherwise."""
    try:
        section_text(section, key, meter, default_unit(meter))
    except NotationError:
        return _on_grid(section, meter)
    return section


def _on_grid(section: LeadSection, meter: Meter) -> LeadSection:
    def near(at: Fraction) -> Fraction:
        return round(at / _GRID_QL) * _GRID_QL

    end = section.bars * meter.bar_ql
    notes: list[Note] = []
    for note in sorted(section.notes, key=lambda note: note.onset_ql):
        onset = max(near(note.onset_ql), notes[-1].onset_ql + notes[-1].duration_ql if notes else Fraction(0))
        stop = min(end, max(onset + _GRID_QL, near(note.onset_ql + note.duration_ql)))
        if stop > onset:
            notes.append(Note(onset, stop - onset, note.pitch))
    chords = {min(near(chord.onset_ql), end - _GRID_QL): chord for chord in section.chords}
    return replace(section, notes=tuple(notes), chords=tuple(replace(c, onset_ql=at) for at, c in sorted(chords.items())))


def _material(written: Written, plan: SectionPlan) -> LeadSection:
    try:
        return written.sheet.section(plan.label)
    except KeyError:
        return written.sheet.sections[0]


def _with_form(written: Written, form: Sequence[SectionPlan], tail_length_s: float) -> Written:
    """Another form; what no section plays any more is not written any more."""
    used = {plan.label for plan in form}
    sections = tuple(section for section in written.sheet.sections if section.label in used) or written.sheet.sections[:1]
    return replace(
        written,
        theme=with_length(replace(written.theme, form=tuple(form)), tail_length_s),
        sheet=replace(written.sheet, sections=sections, order=tuple(plan.label for plan in form)),
    )
