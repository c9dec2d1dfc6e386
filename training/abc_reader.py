"""Reads the folk tunes of ABC collections, as transcribers really wrote them, into exact sections.

A light reader for what these collections hold: ornaments, slurs and annotations are dropped, broken rhythm is spelled out, of a
double stop the upper note stays. A bar with something that has no form in the composer text is marked unusable, not guessed at.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.errors import NotationError
from training.score import LETTERS, TICKS_PER_QUARTER, Element, Pitch, Tune, Unwritable, bar_ticks, check
from training.strains import Fragment, to_sections

_TOKEN = re.compile(
    r"""
    (?P<skip>"[^"]*"|\{[^}]*\}|![^!\n]*!|\+[a-z]+\+|!|[\s`\\.~HLMOPSTuvJRyUVkK*$;]+)
  | \[(?P<field>[A-Za-z]):(?P<value>[^\]]*)\]
  | (?P<bar>(?:\[\||\|\]|[|:])(?:\s*(?:\[\||[|:\]]))*)(?:\s*\[?(?P<ending>[1-9])[0-9,.\-]*)?
  | \[(?P<lone_ending>[1-9])[0-9,.\-]*
  | \[(?P<stack>[^\]:|]+)\](?P<stack_length>\d*/*\d*)
  | \((?P<tuplet>[2-9])(?::(?P<tuplet_q>\d?))?(?::(?P<tuplet_r>\d?))?
  | (?P<slur>[()])
  | (?P<accidental>[_^=]*)(?P<letter>[A-Ga-g])(?P<octave>[,']*)(?P<length>\d*/*\d*)
  | (?P<rest>[zx])(?P<rest_length>\d*/*\d*)
  | (?P<broken>[<>]+)
  | (?P<tie>-)
    """,
    re.VERBOSE,
)
_NOTE = re.compile(r"([_^=]*)([A-Ga-g])([,']*)(\d*/*\d*)")
_FIELD = re.compile(r"^([A-Za-z]):\s*(.*?)\s*$")
_ALTERS = {"": None, "=": 0, "^": 1, "^^": 2, "_": -1, "__": -2}


class Unreadable(ValueError):
    """A tune that cannot be used, with the reason in a few words."""


@dataclass(slots=True)
class _State:
    """Where the reader stands in a tune."""

    unit: Fraction
    signature: dict[str, int]
    fragments: list[Fragment] = field(default_factory=list)
    current: Fragment = field(default_factory=lambda: Fragment([], starts_strain=True))
    accidentals: dict[str, int] = field(default_factory=dict)
    triplet_left: int = 0
    pending_break: int = 0
    """Broken rhythm waiting for its second note: positive after `>`, negative after `<`."""

    def length(self, text: str) -> int:
        """A written length in ticks."""
        match = re.fullmatch(r"(\d*)(/*)(\d*)", text)
        assert match is not None
        ratio = Fraction(int(match[1] or 1), 1)
        if match[2]:
            ratio /= int(match[3]) if match[3] else 2 ** len(match[2])
        ticks = ratio * self.unit * 4 * TICKS_PER_QUARTER
        if ticks.denominator != 1 or ticks == 0:
            self.current.usable = False
            return 6
        return ticks.numerator

    def close_bar(self) -> None:
        """End the fragment being read."""
        if self.triplet_left or self.pending_break:
            self.current.usable = False
        self.triplet_left = self.pending_break = 0
        self.accidentals = {}
        self.fragments.append(self.current)


def read_collection(folder: Path) -> Iterator[tuple[Tune | None, str]]:
    """Every tune below a folder of `.abc` files, in order of file and place: (tune, "") or (None, why not)."""
    for path in sorted(folder.glob("*.abc")):
        text = path.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
        # Some files went through quoted-printable mail.
        text = text.replace("=\n", "\n").replace("=20\n", "\n").replace("=3D", "=")
        for index, chunk in enumerate(re.split(r"(?m)^(?=X:)", text)[1:]):
            try:
                yield read_abc(chunk, f"{folder.name}/{path.stem}/{index}"), ""
            except (Unreadable, Unwritable, NotationError) as error:
                yield None, str(error).splitlines()[0][:60]


def read_abc(text: str, source: str = "") -> Tune:
    """One ABC tune. Raises Unreadable, Unwritable or NotationError."""
    header, body = _split(text)
    meter = Meter.parse(header.get("M", "").split("%")[0])
    key = _key(header.get("K", ""))
    unit = _unit(header.get("L", ""), meter)
    state = _State(unit, key.signature)
    position = 0
    while position < len(body):
        match = _TOKEN.match(body, position)
        if match is None:
            raise Unreadable(f"unknown sign {body[position]!r}")
        position = match.end()
        _take(match, state, key)
    state.close_bar()
    sections = to_sections(state.fragments, bar_ticks(meter))
    if not sections:
        raise Unreadable("no exact section")
    tune = Tune(source, header.get("T", ""), meter, unit, key, sections)
    check(tune)
    return tune


def _split(text: str) -> tuple[dict[str, str], str]:
    """Header fields (the first of each kind) and the music with inline fields, one string."""
    header: dict[str, str] = {}
    music: list[str] = []
    in_body = False
    for raw in text.split("\n"):
        line = raw.split("%")[0].rstrip()
        match = _FIELD.match(line) if not (in_body and line.startswith("|")) else None
        if not in_body:
            if match:
                header.setdefault(match[1], match[2])
                in_body = match[1] == "K"
            continue
        if match is None:
            music.append(line)
        elif match[1] in "KMLVP":
            music.append(f"[{match[1]}:{match[2].replace(']', '')}]")
        elif match[1] == "X":
            break
    if not in_body:
        raise Unreadable("no key")
    voices = Counter(re.findall(r"\[V:\s*(\w+)", " ".join(music)))
    if len(voices) > 1:
        raise Unreadable("several voices")
    return header, "\n".join(music)


def _key(text: str) -> Key:
    words = text.split("%")[0].replace("Hp", "A mix").replace("HP", "A mix").split()
    if not words:
        raise Unreadable("no key")
    tail = words[1] if len(words) > 1 and re.fullmatch(r"[A-Za-z]+", words[1]) else ""
    return Key.parse(f"{re.sub('[^A-Za-z#]', '', words[0])} {tail}".strip())


def _unit(text: str, meter: Meter) -> Fraction:
    if text:
        match = re.match(r"1/(\d+)", text.replace(" ", ""))
        if match is None:
            raise Unreadable("unit length")
        return Fraction(1, int(match[1]))
    return Fraction(1, 16) if meter.bar_ql < 3 else Fraction(1, 8)


def _take(match: re.Match[str], state: _State, key: Key) -> None:
    groups = match.groupdict()
    if groups["skip"] is not None or groups["slur"] is not None:
        return
    if groups["field"] is not None:
        _take_field(groups["field"], groups["value"], state, key)
    elif groups["bar"] is not None or groups["lone_ending"] is not None:
        _take_bar_line(groups["bar"] or "", groups["ending"] or groups["lone_ending"], state)
    elif groups["stack"] is not None:
        notes = [_pitch(found[0], found[1], found[2], state) for found in _NOTE.findall(groups["stack"])]
        lengths = [found[3] for found in _NOTE.findall(groups["stack"])]
        if not notes:
            state.current.usable = False
            return
        _add(state, max(notes, key=lambda pitch: pitch.midi), state.length(groups["stack_length"] or lengths[0]))
        if "-" in groups["stack"]:
            state.current.elements[-1] = replace(state.current.elements[-1], tie=True)
    elif groups["tuplet"] is not None:
        plain = not (groups["tuplet_q"] or groups["tuplet_r"]) or (
            groups["tuplet_q"] == "2" and groups["tuplet_r"] in ("", "3", None)
        )
        if groups["tuplet"] != "3" or not plain or state.triplet_left:
            state.current.usable = False
        state.triplet_left = 3
    elif groups["letter"] is not None:
        _add(state, _pitch(groups["accidental"], groups["letter"], groups["octave"], state), state.length(groups["length"]))
    elif groups["rest"] is not None:
        _add(state, None, state.length(groups["rest_length"]))
    elif groups["broken"] is not None:
        _take_broken(groups["broken"], state)
    elif state.current.elements:
        state.current.elements[-1] = replace(state.current.elements[-1], tie=True)


def _take_field(name: str, value: str, state: _State, key: Key) -> None:
    if name == "L":
        state.unit = _unit(value, Meter(4, 4))
    elif name == "K":
        changed = _key(value)
        if changed != key:
            raise Unreadable("changes key")
    elif name == "M":
        raise Unreadable("changes metre")
    elif name == "P" and not state.current.elements:
        state.current.starts_strain = True


def _take_bar_line(text: str, ending: str | None, state: _State) -> None:
    state.close_bar()
    boundary = ":" in text or "||" in text or "|]" in text or "[|" in text
    inherited = 0 if boundary or not state.fragments else state.fragments[-1].ending
    state.current = Fragment([], ending=int(ending) if ending else inherited, starts_strain=boundary)
    if not state.fragments[-1].elements and state.fragments[-1].starts_strain:
        state.current.starts_strain = True


def _pitch(accidental: str, letter: str, octave: str, state: _State) -> Pitch:
    if accidental not in _ALTERS:
        state.current.usable = False
        accidental = ""
    upper = letter.upper()
    step = LETTERS.index(upper) + 7 * (4 + letter.islower() + octave.count("'") - octave.count(","))
    written = _ALTERS[accidental]
    if written is not None:
        state.accidentals[upper] = written
    elif upper not in state.accidentals:
        held = _held(state)
        if held is not None and held.step == step:
            return held
    return Pitch(step, state.accidentals.get(upper, state.signature.get(upper, 0)))


def _held(state: _State) -> Pitch | None:
    """The pitch tied over the bar line into this one."""
    if state.current.elements or not state.fragments or not state.fragments[-1].elements:
        return None
    last = state.fragments[-1].elements[-1]
    return last.pitch if last.tie else None


def _add(state: _State, pitch: Pitch | None, ticks: int) -> None:
    elements = state.current.elements
    triplet = state.triplet_left > 0
    if triplet:
        state.triplet_left -= 1
        if ticks * 2 % 3:
            state.current.usable = False
        ticks = ticks * 2 // 3
        place = 2 - state.triplet_left
        if place and elements and elements[-1].triplet and elements[-1].ticks != ticks:
            state.current.usable = False
    elif state.pending_break:
        dots = abs(state.pending_break)
        factor = Fraction(1, 2**dots) if state.pending_break > 0 else 2 - Fraction(1, 2**dots)
        ticks = _whole(ticks * factor, state)
    state.pending_break = 0
    elements.append(Element(ticks, pitch, triplet=triplet))


def _take_broken(signs: str, state: _State) -> None:
    elements = state.current.elements
    if not elements or state.triplet_left or elements[-1].triplet or len(set(signs)) > 1:
        state.current.usable = False
        return
    dots = len(signs)
    factor = 2 - Fraction(1, 2**dots) if signs[0] == ">" else Fraction(1, 2**dots)
    elements[-1] = replace(elements[-1], ticks=_whole(elements[-1].ticks * factor, state))
    state.pending_break = dots if signs[0] == ">" else -dots


def _whole(ticks: Fraction, state: _State) -> int:
    if ticks.denominator != 1:
        state.current.usable = False
        return max(1, int(ticks))
    return ticks.numerator
