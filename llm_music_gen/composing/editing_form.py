"""The form of a written song under change: which bars are which, materials of their own, bars left out and repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from string import ascii_uppercase

from llm_music_gen.domain.edit import Bars
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import ChordSymbol, LeadSection, LeadSheet, Note
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.errors import NotationError, UsageError
from llm_music_gen.notation.spec import default_unit
from llm_music_gen.notation.writer import section_text
from llm_music_gen.units import SAMPLE_RATE_HZ, seconds_to_frames

#: Where a rhythm cannot be written any more, onsets move to this grid.
_GRID_QL = Fraction(1, 4)
Change = Callable[[LeadSection, int, int], LeadSection]
"""A section with the range (first, stop) of its written bars that are meant -> the section that replaces it."""


@dataclass(frozen=True, slots=True)
class Written:
    """What is decided and written of a song."""

    theme: Theme
    sheet: LeadSheet
    augment: int = 1
    """How many bars of the song a written bar takes."""


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
    return with_form(written, form, tail_s(theme))


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
        return with_form(written, (*theme.form[: last + 1], *again, *theme.form[last + 1 :]), tail_s(theme))
    if len(meant) > 1:
        raise UsageError("Bars of several sections cannot be repeated together.", hint="Name whole sections, or bars of one.")
    index, first, stop = meant[0]
    written = with_material(
        written, bars, lambda section, low, high: _with_bars_again(section, low, high, times, theme.meter.bar_ql)
    )
    form = list(written.theme.form)
    form[index] = replace(form[index], bars=form[index].bars + times * (stop - first))
    return with_form(written, tuple(form), tail_s(theme))


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


def with_form(written: Written, form: Sequence[SectionPlan], tail_length_s: float) -> Written:
    """Another form; what no section plays any more is not written any more."""
    used = {plan.label for plan in form}
    sections = tuple(section for section in written.sheet.sections if section.label in used) or written.sheet.sections[:1]
    return replace(
        written,
        theme=with_length(replace(written.theme, form=tuple(form)), tail_length_s),
        sheet=replace(written.sheet, sections=sections, order=tuple(plan.label for plan in form)),
    )
