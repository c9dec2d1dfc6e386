"""Reads any ABC into measures as they are written, voice by voice. Repeats are not played here (see `repeats`)."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.abc_lexer import CHORD_NOTE, Token, tokens
from llm_music_gen.notation.lengths import parse_length
from llm_music_gen.notation.spelling import read_pitch

MAX_BARS = 5_000
MAX_EVENTS_PER_BAR = 1_000
MAX_VOICES = 64
#: Largest denominator of a time in quarter lengths; sums of odd fractions would otherwise grow without end.
MAX_DENOMINATOR = 1_000_000
_KEY_FIELD = re.compile(r"\s*([A-G])([#b]?)\s*([A-Za-z]*)")
_TEMPO = re.compile(r"(?:(\d{1,3})/(\d{1,3})\s*=\s*)?(\d{1,4}(?:\.\d{1,3})?)\s*$")
#: Notes in a tuplet -> notes in whose time they are played, where the metre does not decide.
_TUPLET_TIME = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
_MODES = {"maj", "ion", "min", "m", "aeo", "dor", "phr", "lyd", "mix", "loc"}


@dataclass(frozen=True, slots=True)
class Event:
    """A note, chord or rest of a measure. Times in quarter lengths."""

    onset_ql: Fraction
    """From the beginning of its measure."""
    duration_ql: Fraction
    pitches: tuple[int, ...] = ()
    """Empty for a rest."""
    tied: bool = False
    """Whether it is tied to the next."""


@dataclass(slots=True)
class Measure:
    """What stands between two bar lines."""

    line: int
    column: int
    meter: Meter | None
    """None when the metre is free."""
    events: list[Event] = field(default_factory=list)
    symbols: list[tuple[Fraction, str]] = field(default_factory=list)
    """(onset, text) of what stands in quotes."""
    length_ql: Fraction = Fraction(0)
    opens_repeat: bool = False
    closes_repeat: bool = False
    opens_special: bool = False
    """Whether a repeat, double bar or ending begins here, or the tune."""
    closes_special: bool = False
    """Whether a repeat, double bar or ending ends here, or the tune."""
    endings: frozenset[int] | None = None
    """Passes in which it is played, None for all."""
    part: str = ""
    """The `P:` label that begins here."""
    rest_bars: int = 0
    """How many bars of rest it stands for (`Z4`)."""


@dataclass(frozen=True, slots=True)
class AbcTune:
    """A tune as written."""

    title: str
    key: Key
    meter: Meter | None
    quarter_bpm: float | None
    order: str
    """The `P:` field of the head."""
    voices: dict[str, list[Measure]]
    junk: tuple[tuple[int, int, str], ...]
    """(line, column, character) of what is no ABC."""


def read_tune(abc: str) -> AbcTune:
    """Read the first tune of a text. Raises NotationError for fields that make no sense and for absurd sizes."""
    reader = _TuneReader()
    for token in tokens(abc):
        reader.take(token)
    return reader.tune()


@dataclass
class _Voice:
    """Where one voice stands."""

    measures: list[Measure] = field(default_factory=list)
    accidentals: dict[str, int] = field(default_factory=dict)
    tuplet_left: int = 0
    tuplet_ratio: Fraction = Fraction(1)
    broken: int = 0
    """Dots of a broken rhythm that the next note completes; negative when it is the long one."""
    endings: frozenset[int] | None = None
    overlaid: bool = False


class _TuneReader:
    def __init__(self) -> None:
        self.title = ""
        self.order = ""
        self.key = Key("C")
        self.first_key: Key | None = None
        self.meter: Meter | None = Meter(4, 4)
        self.first_meter: Meter | None = None
        self.unit: Fraction | None = None
        self.quarter_bpm: float | None = None
        self.in_music = False
        self.part = ""
        self.bars = 0
        self.junk: list[tuple[int, int, str]] = []
        self.voices: dict[str, _Voice] = {}
        self.voice_name = ""

    def tune(self) -> AbcTune:
        voices = {name: _finished(voice.measures) for name, voice in self.voices.items()}
        first_meter = self.first_meter if self.in_music else self.meter
        return AbcTune(
            self.title, self.first_key or self.key, first_meter, self.quarter_bpm, self.order,
            {name: measures for name, measures in voices.items() if measures}, tuple(self.junk[:100]),
        )  # fmt: skip

    def take(self, token: Token) -> None:
        """Advance by one token."""
        if token.kind == "field":
            self._field(token)
        else:
            if not self.in_music:
                self.in_music, self.first_meter, self.first_key = True, self.meter, self.key
            self._music(token)

    def _field(self, token: Token) -> None:
        letter, value = token.letter, token.value
        if letter == "T" and not self.title:
            self.title = value
        elif letter == "M":
            self.meter = self._read_meter(value, token)
        elif letter == "L":
            self.unit = self._read_unit(value, token)
        elif letter == "Q":
            self._tempo(value)
        elif letter == "K":
            self.key = _read_key(value)
        elif letter == "P" and self.first_key is not None:
            self.part = value
        elif letter == "P":
            self.order = value
        elif letter == "V":
            self.voice_name = value.split()[0][:40] if value.split() else ""
        if letter == "K" and self.first_key is None:
            self.first_key = self.key

    @staticmethod
    def _read_meter(value: str, token: Token) -> Meter | None:
        if value.lower() in ("none", ""):
            return None
        try:
            return Meter.parse(value.split()[0])
        except NotationError as error:
            raise NotationError(f"Line {token.line}: {error}") from None

    @staticmethod
    def _read_unit(value: str, token: Token) -> Fraction:
        match = re.match(r"(\d{1,3})(?:/(\d{1,3}))?", value)
        numerator, denominator = (int(match[1]), int(match[2] or 1)) if match else (0, 0)
        if numerator < 1 or denominator < 1 or not Fraction(1, 128) <= Fraction(numerator, denominator) <= 4:
            raise NotationError(f"Line {token.line}: {value[:20]!r} is not a unit length.", hint="Write for example L:1/8.")
        return Fraction(numerator, denominator)

    def _tempo(self, value: str) -> None:
        match = _TEMPO.search(re.sub(r'"[^"]*"', "", value).strip())
        if match and self.quarter_bpm is None:
            beat = Fraction(int(match[1]), max(1, int(match[2]))) if match[1] else Fraction(1, 4)
            self.quarter_bpm = float(beat * 4) * float(match[3])

    def _unit_ql(self) -> Fraction:
        """As in `L:`; without it 1/16 below three quarters of a whole note a bar, otherwise 1/8 (ABC 2.1, 3.1.7)."""
        if self.unit is not None:
            return self.unit * 4
        return Fraction(1, 4) if self.meter is not None and self.meter.bar_ql < 3 else Fraction(1, 2)

    def _voice(self) -> _Voice:
        if self.voice_name not in self.voices:
            if len(self.voices) >= MAX_VOICES:
                raise NotationError(f"The tune has more than {MAX_VOICES} voices.", hint="Keep the melody and a few others.")
            self.voices[self.voice_name] = _Voice()
        return self.voices[self.voice_name]

    def _music(self, token: Token) -> None:
        voice = self._voice()
        if token.kind in ("bar", "ending"):
            self._bar(voice, token)
            return
        if token.kind == "junk":
            self.junk.append((token.line, token.column, token.match[0]))
            return
        if token.kind == "overlay":
            voice.overlaid = True
        if voice.overlaid:
            return
        measure = self._measure(voice, token)
        if token.kind == "note":
            self._note(voice, measure, token)
        elif token.kind == "chord":
            self._chord(voice, measure, token)
        elif token.kind == "rest":
            self._add(voice, measure, self._length(token.match["rest_length"], token), ())
        elif token.kind == "quoted":
            measure.symbols.append((measure.length_ql, token.match["quoted"]))
        elif token.kind == "tuplet":
            self._tuplet(voice, token)
        elif token.kind == "broken":
            self._broken(voice, measure, token.match["broken"])
        elif token.kind == "tie" and measure.events:
            measure.events[-1] = replace(measure.events[-1], tied=True)
        elif token.kind == "bars_rest":
            self._bars_rest(measure, token)

    def _measure(self, voice: _Voice, token: Token) -> Measure:
        """The measure under way, begun if there is none."""
        if not voice.measures:
            voice.measures.append(Measure(token.line, token.column, self.meter, opens_special=not voice.measures))
        measure = voice.measures[-1]
        if not measure.events and not measure.rest_bars:
            measure.meter = self.meter
            measure.endings = voice.endings
            measure.part, self.part = self.part or measure.part, ""
            measure.opens_special = measure.opens_special or bool(measure.part)
        return measure

    def _bar(self, voice: _Voice, token: Token) -> None:
        text = token.match["bar"] or ""
        numbers = token.match["numbers"] or token.match["ending"] or ""
        current = voice.measures[-1] if voice.measures else None
        written = current is not None and bool(current.events or current.rest_bars)
        double = len(text.replace(":", "")) > 1
        special = double or ":" in text or bool(numbers)
        if current is not None and written:
            current.closes_special = current.closes_special or special
            current.closes_repeat = current.closes_repeat or text.startswith(":")
        elif len(voice.measures) > 1:
            # An empty measure: this bar line belongs to the one before, as in "|" at a line's end and ":|" on the next.
            voice.measures[-2].closes_special = voice.measures[-2].closes_special or special
            voice.measures[-2].closes_repeat = voice.measures[-2].closes_repeat or text.startswith(":")
        if special:
            voice.endings = _passes(numbers) if numbers else None
        if text:
            voice.accidentals.clear()
            voice.overlaid, voice.broken, voice.tuplet_left = False, 0, 0
        if written or current is None:
            self.bars += 1
            if self.bars > MAX_BARS:
                raise NotationError(f"The tune has more than {MAX_BARS:,} bars.", hint="Cut it shorter.")
            current = Measure(token.line, token.column, self.meter, opens_special=not voice.measures)
            voice.measures.append(current)
        assert current is not None
        current.opens_repeat = current.opens_repeat or text.endswith(":")
        current.opens_special = current.opens_special or special
        current.endings = voice.endings

    def _length(self, text: str, token: Token) -> Fraction:
        try:
            return _written_length(text) * self._unit_ql()
        except NotationError as error:
            raise NotationError(f"Line {token.line}, character {token.column}: {error}") from None

    def _note(self, voice: _Voice, measure: Measure, token: Token) -> None:
        match = token.match
        pitch = read_pitch(match["accidental"] or "", match["letter"], match["marks"], self.key, voice.accidentals)
        self._add(voice, measure, self._length(match["length"], token), (pitch,))

    def _chord(self, voice: _Voice, measure: Measure, token: Token) -> None:
        notes = list(CHORD_NOTE.finditer(token.match["chord"]))
        if not notes:
            self.junk.append((token.line, token.column, "["))
            return
        pitches = tuple(
            read_pitch(note["accidental"] or "", note["letter"], note["marks"], self.key, voice.accidentals) for note in notes
        )
        inner = self._length(notes[0]["length"], token) / self._unit_ql()
        self._add(voice, measure, inner * self._length(token.match["chord_length"], token), pitches)
        if "-" in token.match["chord"]:
            measure.events[-1] = replace(measure.events[-1], tied=True)

    def _add(self, voice: _Voice, measure: Measure, duration_ql: Fraction, pitches: tuple[int, ...]) -> None:
        if voice.tuplet_left:
            voice.tuplet_left -= 1
            duration_ql *= voice.tuplet_ratio
        if voice.broken:
            duration_ql *= _broken_share(-voice.broken)
            voice.broken = 0
        measure.events.append(Event(measure.length_ql, duration_ql, pitches))
        measure.length_ql += duration_ql
        if measure.length_ql.denominator > MAX_DENOMINATOR or len(measure.events) > MAX_EVENTS_PER_BAR:
            raise NotationError(
                f"Line {measure.line}: the rhythm of a bar is too intricate.", hint="Use bar lines and plain lengths."
            )

    def _tuplet(self, voice: _Voice, token: Token) -> None:
        count = int(token.match["tuplet"])
        usual = _TUPLET_TIME.get(count, 3 if self.meter is not None and self.meter.is_compound else 2)
        time = int(token.match["time"] or 0) or usual
        voice.tuplet_left = int(token.match["count"] or 0) or count
        voice.tuplet_ratio = Fraction(time, count)

    @staticmethod
    def _broken(voice: _Voice, measure: Measure, sign: str) -> None:
        if not measure.events:
            return
        dots = len(sign) if sign[0] == ">" else -len(sign)
        last = measure.events[-1]
        duration_ql = last.duration_ql * _broken_share(dots)
        measure.events[-1] = replace(last, duration_ql=duration_ql)
        measure.length_ql = last.onset_ql + duration_ql
        voice.broken = dots

    def _bars_rest(self, measure: Measure, token: Token) -> None:
        count = int(token.match["bars"] or 1)
        self.bars += count
        if self.bars > MAX_BARS:
            raise NotationError(
                f"Line {token.line}: {count:,} bars of rest are too many.", hint=f"At most {MAX_BARS:,} bars fit."
            )
        bar_ql = self.meter.bar_ql if self.meter is not None else Fraction(4)
        measure.events.append(Event(measure.length_ql, bar_ql * count))
        measure.length_ql += bar_ql * count
        measure.rest_bars += count


@lru_cache(maxsize=1_000)
def _written_length(text: str) -> Fraction:
    return parse_length(text)


def _finished(measures: list[Measure]) -> list[Measure]:
    """Without empty measures; the tune's own ends count as special."""
    written = [measure for measure in measures if measure.events]
    if written:
        written[-1].closes_special = True
    # A measure before a special bar line ends specially, even if only an empty measure stood between.
    for one, following in itertools.pairwise(written):
        one.closes_special = one.closes_special or following.opens_repeat or following.endings != one.endings
    return written


def _broken_share(dots: int) -> Fraction:
    """Share of its written length that the first note of a broken pair keeps: 3/2 for >, 7/4 for >>, 1/2 for <."""
    short = Fraction(1, 2 ** abs(dots))
    return 2 - short if dots > 0 else short


def _passes(numbers: str) -> frozenset[int]:
    """Ending numbers: "1" "1,3" "1-3"."""
    passes: set[int] = set()
    for piece in numbers.split(","):
        first, _, last = piece.partition("-")
        if first.isdigit() and int(first) <= 16:
            passes.update(range(int(first), min(int(last), 16) + 1 if last.isdigit() else int(first) + 1))
    return frozenset(passes) or frozenset({1})


def _read_key(value: str) -> Key:
    """A `K:` field; without a known key C major, as for unpitched and bagpipe music."""
    match = _KEY_FIELD.match(value)
    if match is None:
        return Key("C")
    mode = match[3].lower()
    suffix = mode[:3] if mode[:3] in _MODES else ""
    name = match[1] + match[2] + suffix
    try:
        return Key.parse(name)
    except NotationError:
        return Key("C")
