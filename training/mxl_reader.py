"""Reads lead sheets (compressed MusicXML, one voice with chord symbols) into exact sections with canonical chords."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from math import gcd
from pathlib import Path

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.errors import NotationError
from training.chords import CHORD, MUSICXML_KINDS, fifths_note
from training.score import LETTERS, TICKS_PER_QUARTER, Element, Pitch, Tune, Unwritable, bar_ticks, check
from training.strains import Fragment, to_sections

_ACCIDENTALS = {-1: "b", 0: "", 1: "#"}


class Unreadable(ValueError):
    """A lead sheet that cannot be used, with the reason in a few words."""


@dataclass(slots=True)
class _State:
    divisions: int = 1
    meter: Meter | None = None
    fifths: int | None = None
    ending: int = 0
    boundary: bool = True
    fragments: list[Fragment] = field(default_factory=list)


def read_folder(folder: Path) -> Iterator[tuple[Tune | None, str]]:
    """Every lead sheet of a folder in order of name: (tune, "") or (None, why not)."""
    for path in sorted(folder.glob("*.mxl")):
        try:
            yield read_mxl(path), ""
        except (Unreadable, Unwritable, NotationError, ET.ParseError, zipfile.BadZipFile) as error:
            yield None, str(error).splitlines()[0][:60]


def read_mxl(path: Path) -> Tune:
    """One compressed MusicXML file. Raises Unreadable, Unwritable, NotationError, ET.ParseError or BadZipFile."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith((".xml", ".musicxml")) and not name.startswith("META-INF")]
        if not names:
            raise Unreadable("no score inside")
        return read_musicxml(archive.read(names[0]), f"openewld/{path.stem}")


def read_musicxml(data: bytes, source: str = "") -> Tune:
    """One score. Raises Unreadable, Unwritable, NotationError or ET.ParseError."""
    root = ET.fromstring(data)
    part = root.find("part")
    if part is None:
        raise Unreadable("no part")
    state = _State()
    for measure in part.iter("measure"):
        _read_measure(measure, state)
    if state.meter is None or state.fifths is None:
        raise Unreadable("no metre or key")
    sections = to_sections(state.fragments, bar_ticks(state.meter))
    if not sections:
        raise Unreadable("no exact section")
    chords = [element.chord for section in sections for bar in section.bars for element in bar if element.chord]
    if not chords:
        raise Unreadable("no chords")
    title = root.findtext("work/work-title") or root.findtext("movement-title") or ""
    tune = Tune(source, title, state.meter, Fraction(1, 8), infer_key(state.fifths, chords), sections)
    check(tune)
    return tune


def infer_key(fifths: int, chords: list[str]) -> Key:
    """Major or relative minor: the corpus calls every signature major, so the chords at both ends decide."""
    major, minor = fifths_note(fifths), fifths_note(fifths + 3)

    def is_minor_tonic(chord: str) -> bool:
        match = CHORD.match(chord)
        return match is not None and match[1] == minor and match[2].startswith("m") and not match[2].startswith("maj")

    def is_major_tonic(chord: str) -> bool:
        match = CHORD.match(chord)
        return match is not None and match[1] == major and match[2] in ("", "6", "maj7", "maj9", "9", "7")

    if is_minor_tonic(chords[-1]) or (is_minor_tonic(chords[0]) and not is_major_tonic(chords[-1])):
        return Key(minor, "minor")
    return Key(major, "major")


def _read_measure(measure: ET.Element, state: _State) -> None:
    fragment = Fragment([], ending=state.ending, starts_strain=state.boundary)
    state.boundary = False
    events: list[tuple[Fraction, Element]] = []
    chords: list[tuple[Fraction, str]] = []
    now = Fraction(0)
    for child in measure:
        if child.tag == "attributes":
            _read_attributes(child, state, bool(events))
        elif child.tag == "barline":
            _read_barline(child, state, fragment)
        elif child.tag == "harmony":
            name = _chord_name(child)
            if name:
                offset = Fraction(int(child.findtext("offset") or 0), state.divisions)
                chords.append((now + offset, name))
        elif child.tag == "direction" and child.find("direction-type/rehearsal") is not None:
            fragment.starts_strain = True
        elif child.tag in ("backup", "forward"):
            raise Unreadable("several voices")
        elif child.tag == "note" and child.find("grace") is None and child.find("cue") is None:
            now = _read_note(child, state, events, now)
    _fill(fragment, events, chords)
    state.fragments.append(fragment)
    state.ending = 0 if state.boundary else fragment.ending


def _read_attributes(node: ET.Element, state: _State, mid_bar: bool) -> None:
    divisions = node.findtext("divisions")
    if divisions:
        state.divisions = int(divisions)
    beats, beat_type = node.findtext("time/beats"), node.findtext("time/beat-type")
    if beats and beat_type:
        meter = Meter.parse(f"{beats}/{beat_type}")
        if mid_bar or state.meter not in (None, meter):
            raise Unreadable("changes metre")
        state.meter = meter
    fifths = node.findtext("key/fifths")
    if fifths:
        if state.fifths not in (None, int(fifths)):
            raise Unreadable("changes key")
        state.fifths = int(fifths)


def _read_barline(node: ET.Element, state: _State, fragment: Fragment) -> None:
    location = node.get("location", "right")
    repeat, style, ending = node.find("repeat"), node.findtext("bar-style"), node.find("ending")
    if location == "left":
        if repeat is not None:
            fragment.starts_strain = True
            fragment.ending = 0
    elif repeat is not None or style in ("light-light", "light-heavy", "heavy-light"):
        state.boundary = True
    if ending is not None and ending.get("type") == "start":
        digits = re.findall(r"\d+", ending.get("number", "1"))
        fragment.ending = int(digits[-1]) if digits else 1
    if ending is not None and ending.get("type") in ("stop", "discontinue") and fragment.ending > 1:
        state.boundary = True


def _read_note(node: ET.Element, state: _State, events: list[tuple[Fraction, Element]], now: Fraction) -> Fraction:
    duration = node.findtext("duration")
    if duration is None:
        raise Unreadable("a note without duration")
    length = Fraction(int(float(duration)), state.divisions)
    pitch = None
    if node.find("pitch") is not None:
        alter = float(node.findtext("pitch/alter") or 0)
        step = LETTERS.index(node.findtext("pitch/step") or "C") + 7 * int(node.findtext("pitch/octave") or 4)
        pitch = Pitch(step, int(alter))
    tie = any(tie.get("type") == "start" for tie in node.findall("tie"))
    if node.find("chord") is not None:
        if events and pitch is not None and events[-1][1].pitch is not None and pitch.midi > events[-1][1].pitch.midi:
            onset, lower = events[-1]
            events[-1] = (onset, replace(lower, pitch=pitch, tie=tie))
        return now
    ticks = length * TICKS_PER_QUARTER
    if ticks.denominator != 1 or ticks == 0:
        raise Unreadable("a length between the ticks")
    actual, normal = node.findtext("time-modification/actual-notes"), node.findtext("time-modification/normal-notes")
    triplet = actual == "3" and normal == "2"
    if actual is not None and not triplet:
        raise Unreadable("a tuplet that is no triplet")
    events.append((now, Element(ticks.numerator, pitch, tie=tie, triplet=triplet)))
    return now + length


def _chord_name(node: ET.Element) -> str | None:
    step, kind = node.findtext("root/root-step"), (node.findtext("kind") or "").strip()
    alter = int(float(node.findtext("root/root-alter") or 0))
    if not step or alter not in _ACCIDENTALS or kind not in MUSICXML_KINDS:
        return None
    name = step + _ACCIDENTALS[alter] + MUSICXML_KINDS[kind]
    bass, bass_alter = node.findtext("bass/bass-step"), int(float(node.findtext("bass/bass-alter") or 0))
    if bass and bass_alter in _ACCIDENTALS and bass + _ACCIDENTALS[bass_alter] != step + _ACCIDENTALS[alter]:
        name += f"/{bass}{_ACCIDENTALS[bass_alter]}"
    return name


def _fill(fragment: Fragment, events: list[tuple[Fraction, Element]], chords: list[tuple[Fraction, str]]) -> None:
    """Write the events with their chords into the fragment; a chord inside a long note divides it."""
    marks = {int(onset * TICKS_PER_QUARTER): name for onset, name in chords}
    elements: list[Element] = []
    for onset, element in events:
        start = int(onset * TICKS_PER_QUARTER)
        inside = sorted(mark for mark in marks if start < mark < start + element.ticks)
        first = replace(element, chord=marks.get(start))
        if element.triplet:
            if inside and first.chord is None:
                first = replace(first, chord=marks[inside[0]])
            elements.append(first)
            continue
        cuts = [start, *inside, start + element.ticks]
        for index, (begin, end) in enumerate(pairwise(cuts)):
            last = index == len(cuts) - 2
            elements.append(
                replace(
                    element,
                    ticks=end - begin,
                    chord=marks.get(begin),
                    tie=element.tie if last else element.pitch is not None,
                )
            )
    try:
        fragment.elements = _even_triplets(elements)
    except Unwritable:
        fragment.elements = elements
        fragment.usable = False


def _even_triplets(elements: list[Element]) -> list[Element]:
    """Write every triplet as three equal notes; a long-short pair becomes tied thirds, which is the same sound."""
    out: list[Element] = []
    group: list[Element] = []
    for element in elements:
        if not element.triplet:
            if group:
                raise Unwritable("unfinished triplet")
            out.append(element)
            continue
        group.append(element)
        third = 0
        for member in group:
            third = gcd(third, member.ticks)
        total = sum(member.ticks for member in group)
        if len(group) >= 2 and total == 3 * third:
            for member in group:
                count = member.ticks // third
                for index in range(count):
                    last = index == count - 1
                    tie = member.tie if last else member.pitch is not None
                    out.append(replace(member, ticks=third, tie=tie, chord=member.chord if index == 0 else None))
            group = []
        elif len(group) > 3:
            raise Unwritable("a triplet of uneven notes")
    if group:
        raise Unwritable("unfinished triplet")
    return out
