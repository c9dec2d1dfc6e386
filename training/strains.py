"""From bar fragments with bar lines, as both corpora have them, to sections of exact bars.

Repeats are written once with their last ending, pickups move to where they sound (the end of the section before) or go, and what
cannot be made exact is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from training.score import LABELS, Bar, Element, Section, Unwritable, merge_ties, total_ticks

MAX_SECTION_BARS = 16
MIN_SECTION_BARS = 2


@dataclass(slots=True)
class Fragment:
    """What stands between two bar lines."""

    elements: list[Element]
    ending: int = 0
    """0 outside endings, otherwise the number of the ending it stands in."""
    starts_strain: bool = False
    """A repeat sign, double bar or part mark stands before it."""
    usable: bool = True
    """False where it holds something without a form in the composer text."""


@dataclass(slots=True)
class Strain:
    """A run of fragments between section boundaries."""

    fragments: list[Fragment] = field(default_factory=list)


def to_sections(fragments: Sequence[Fragment], bar: int) -> tuple[Section, ...]:
    """Sections of exact bars of `bar` ticks, labelled in order; empty where nothing can be used."""
    strains = _strains(_last_endings(fragments))
    pickups: list[list[Element]] = []
    bodies: list[list[Fragment]] = []
    floating: list[Element] = []
    for strain in strains:
        body = list(strain.fragments)
        pickup: list[Element] = []
        if total_ticks(body[0].elements) < bar:
            if len(body) == 1:
                floating = body[0].elements
                continue
            pickup = body.pop(0).elements
        pickups.append(pickup or floating)
        bodies.append(body)
        floating = []
    runs: list[tuple[Bar, ...]] = []
    for index, body in enumerate(bodies):
        following = pickups[index + 1] if index + 1 < len(bodies) else []
        try:
            bars = _exact_bars(body, bar, following)
        except Unwritable:
            continue
        runs.extend(_chunks(_without_lead_in(bars)))
    return _labelled(runs)


def _last_endings(fragments: Sequence[Fragment]) -> list[Fragment]:
    """Leave out every ending that is followed by another one."""
    kept: list[Fragment] = []
    position = 0
    while position < len(fragments):
        ending = fragments[position].ending
        stop = position
        while (
            stop < len(fragments)
            and fragments[stop].ending == ending
            and (ending == 0 or stop == position or not fragments[stop].starts_strain)
        ):
            stop += 1
        superseded = ending > 0 and stop < len(fragments) and fragments[stop].ending > ending
        if not superseded:
            run = list(fragments[position:stop])
            if ending > 1:
                run[0] = replace(run[0], starts_strain=False)
            kept.extend(run)
        position = stop
    return kept


def _strains(fragments: Sequence[Fragment]) -> list[Strain]:
    strains: list[Strain] = []
    for fragment in fragments:
        if not fragment.elements and fragment.usable:
            continue
        if fragment.starts_strain or not strains:
            strains.append(Strain())
        strains[-1].fragments.append(fragment)
    return [strain for strain in strains if strain.fragments]


def _exact_bars(body: Sequence[Fragment], bar: int, following: Sequence[Element]) -> list[Bar]:
    if not all(fragment.usable for fragment in body):
        raise Unwritable("a bar cannot be written")
    bars = [list(fragment.elements) for fragment in body]
    missing = bar - total_ticks(bars[-1])
    if missing > 0:
        bars[-1] = _filled(bars[-1], missing, following)
    if any(total_ticks(elements) != bar for elements in bars):
        raise Unwritable("a bar of the wrong length")
    bars[-1][-1] = replace(bars[-1][-1], tie=False)
    return [merge_ties(elements) for elements in _checked_ties(bars)]


def _without_lead_in(bars: list[Bar]) -> list[Bar]:
    """Leave out a first bar that only holds a pickup behind rests, where the phrase lengths show that it is one."""
    rest = 0
    for element in bars[0]:
        if element.pitch is not None:
            break
        rest += element.ticks
    return bars[1:] if len(bars) % 4 == 1 and 2 * rest >= total_ticks(bars[0]) else bars


def _filled(elements: list[Element], missing: int, following: Sequence[Element]) -> list[Element]:
    """Complete a section's last bar with the pickup of the next one, or by holding its last note or rest."""
    if total_ticks(following) == missing:
        return [*elements, *following]
    last = elements[-1]
    if last.triplet:
        return [*elements, Element(missing)]
    return [*elements[:-1], replace(last, ticks=last.ticks + missing)]


def _checked_ties(bars: list[list[Element]]) -> list[list[Element]]:
    """Keep a tie only where the next note has the same pitch."""
    flat = [(number, element) for number, elements in enumerate(bars) for element in elements]
    out: list[list[Element]] = [[] for _ in bars]
    for index, (number, element) in enumerate(flat):
        after = flat[index + 1][1] if index + 1 < len(flat) else None
        holds = element.tie and element.pitch is not None and after is not None and after.pitch == element.pitch
        out[number].append(replace(element, tie=holds))
    return out


def _chunks(bars: list[Bar]) -> list[tuple[Bar, ...]]:
    """Cut a long strain into phrases of natural length."""
    count = len(bars)
    if count < MIN_SECTION_BARS:
        return []
    if count <= MAX_SECTION_BARS:
        return [tuple(bars)]
    size = 6 if count % 8 and count % 6 == 0 else 8
    cuts = list(range(0, count, size))
    if count - cuts[-1] < size and count - cuts[-2] <= 12:
        cuts.pop()
    pieces = [bars[start:stop] for start, stop in zip(cuts, [*cuts[1:], count], strict=True)]
    return [_closed(piece) for piece in pieces]


def _closed(bars: Sequence[Bar]) -> tuple[Bar, ...]:
    """A piece whose last note is tied to nothing."""
    return (*bars[:-1], (*bars[-1][:-1], replace(bars[-1][-1], tie=False)))


def _labelled(runs: Sequence[tuple[Bar, ...]]) -> tuple[Section, ...]:
    """Chords only where they change, each section beginning with the one that sounds; a section that comes again is left out."""
    sections: list[Section] = []
    sounding: str | None = None
    for bars in runs:
        if all(element.pitch is None for bar in bars for element in bar):
            continue
        restated: list[Bar] = []
        current: str | None = None
        for bar in bars:
            elements: list[Element] = []
            for element in bar:
                chord = element.chord
                if not restated and not elements and chord is None:
                    chord = sounding
                if chord == current:
                    chord = None
                current = chord or current
                elements.append(replace(element, chord=chord))
            restated.append(merge_ties(elements))
        sounding = current
        if any(section.bars == tuple(restated) for section in sections) or len(sections) == len(LABELS):
            continue
        sections.append(Section(LABELS[len(sections)], tuple(restated)))
    return tuple(sections)
