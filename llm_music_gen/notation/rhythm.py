"""The rhythm half of the automaton: bars, lengths, rests, triplets, ties, chord symbols. It does not look at pitches.

A state is entered only if the bar and the section can still be completed from it, so there are no dead ends. Time is counted in
grains: quarters of the unit length.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import NamedTuple

from llm_music_gen.domain.meter import Meter
from llm_music_gen.notation.chords import QUALITIES
from llm_music_gen.notation.lengths import length_text
from llm_music_gen.notation.memo import Graph

LETTERS = frozenset("ABCDEFGabcdefg")
ACCIDENTALS = frozenset("^_=")
MARKS = frozenset("',")
LENGTH_CHARACTERS = frozenset("0123456789/")
#: Notes shorter than this many whole notes are counted, and a bar has only a few of them.
SHORT_NOTE = Fraction(1, 16)
MAX_SHORT_NOTES = 8
#: How many notes a bar can take over comfortably when earlier bars had too few.
COMFORTABLE_ONSETS = 4
_ROOTS = ("C", "C#", "Db", "D", "D#", "Eb", "E", "F", "F#", "Gb", "G", "G#", "Ab", "A", "A#", "Bb", "B")


class Mode(IntEnum):
    """What is being written."""

    START = 0
    """Between elements."""
    CHORD = 1
    """Inside the quotes of a chord symbol."""
    BRACKET = 2
    """After the bracket of a triplet."""
    TRIPLET = 3
    """After `(3`."""
    ACCIDENTAL = 4
    """After an accidental."""
    LENGTH = 5
    """After a letter or a rest: octave marks and length."""
    DONE = 6
    """After the last bar line."""


class Rhythm(NamedTuple):
    """Where the rhythm stands."""

    mode: Mode
    text: str
    """What is written so far of a chord symbol or a length."""
    left: int
    """Grains left in the bar."""
    shorts: int
    """Short notes still allowed in the bar."""
    triplet: int
    """Notes of the triplet under way still to be written."""
    triplet_length: int
    """Written length of each note of the triplet, in grains; 0 until its first note is complete."""
    is_rest: bool
    """Whether the element under way is a rest."""
    tie: bool
    """Whether the next note continues the last one."""
    chorded: bool
    """Whether the coming element has its chord symbol."""
    chord_due: bool
    """Whether the coming element must have one."""
    spaced: bool
    """Whether a space was just written."""
    hold: bool
    """Whether no tie may lead over the coming bar line."""
    need: int
    """Notes that the section still needs."""
    rest_left: int
    """Grains of rest still allowed in the section."""
    bars_left: int
    """Bars to be completed, the one under way included."""
    chords_left: int
    """Chord symbols still allowed in the bar."""


@dataclass(frozen=True)
class RhythmRules:
    """What the rhythm of a kind of section obeys. Hashable: automata with equal rules share their memory."""

    meter: Meter
    unit: Fraction
    chords: bool
    chord_symbols: tuple[str, ...]
    final_chord: str
    max_chords_per_bar: int
    allow_spaces: bool
    alphabet: frozenset[str]
    """The characters that can be written one at a time."""

    @cached_property
    def bar(self) -> int:
        """Grains in a bar."""
        return int(self.meter.bar_ql / self.unit)

    @cached_property
    def lengths(self) -> dict[int, str]:
        """Grains -> length text, for every length that a note may be written with."""
        grains = {4 * whole for whole in range(1, 33)} | {2 * half for half in (1, 3, 5, 7)} | {1, 3}
        texts = {grain: length_text(Fraction(grain, 4)) for grain in sorted(grains) if grain <= self.bar}
        return {grain: text for grain, text in texts.items() if set(text) <= self.alphabet}

    @cached_property
    def _short_lengths(self) -> frozenset[int]:
        return frozenset(length for length in self.lengths if length * self.unit / 4 < SHORT_NOTE)

    def shorts(self, grains: int) -> int:
        """How many short notes a note of this written length counts as."""
        return int(grains in self._short_lengths)

    @cached_property
    def capacity(self) -> tuple[tuple[int, ...], ...]:
        """[short notes allowed][grains] -> most elements that fill exactly that time, -1 if none can."""
        table = [[0] + [-1] * self.bar for _ in range(MAX_SHORT_NOTES + 1)]
        for shorts in range(MAX_SHORT_NOTES + 1):
            for grains in range(1, self.bar + 1):
                ways = [
                    table[shorts - self.shorts(length)][grains - length]
                    for length in self.lengths
                    if length <= grains and self.shorts(length) <= shorts
                ]
                best = max(ways, default=-1)
                table[shorts][grains] = -1 if best < 0 else best + 1
        return tuple(map(tuple, table))

    @cached_property
    def comfortable(self) -> int:
        """Notes that any bar can hold even when it begins with a tied note."""
        return max(0, min(COMFORTABLE_ONSETS, self.capacity[MAX_SHORT_NOTES][self.bar] - 1))

    @cached_property
    def chord_prefixes(self) -> dict[str, frozenset[str]]:
        """Beginning of a chord symbol -> characters that may follow; a quote where it is complete."""
        return prefixes(self.chord_symbols or _all_chords(), self.alphabet)

    @cached_property
    def final_prefixes(self) -> dict[str, frozenset[str]]:
        """The same for the last bar, where only the final chord stands."""
        return prefixes((self.final_chord,), self.alphabet)

    def start(self, bars: int, onsets: int, rest_grains: int) -> Rhythm:
        """The state before the first bar."""
        due = self.chords
        return Rhythm(
            Mode.START, "", self.bar, MAX_SHORT_NOTES, 0, 0, False, False, False, due, False, False,
            onsets, rest_grains, bars, self._chords_in_bar(bars),
        )  # fmt: skip

    def _chords_in_bar(self, bars_left: int) -> int:
        if not self.chords:
            return 0
        return 1 if bars_left == 1 and self.final_chord else self.max_chords_per_bar

    def onsets_due(self, state: Rhythm) -> int:
        """Notes that must still begin in this bar, so that the rest fits into the bars after it."""
        return max(0, state.need - self.comfortable * (state.bars_left - 1))

    def can_fill(self, state: Rhythm) -> bool:
        """Whether the bar can be completed from a state between elements."""
        due = self.onsets_due(state)
        if state.left == 0:
            return due == 0
        return self.capacity[state.shorts][state.left] >= max(1, due + state.tie)

    def element_lengths(self, state: Rhythm) -> list[int]:
        """Written lengths that the element under way, or about to begin, may have."""
        if state.triplet and state.triplet_length:
            return [state.triplet_length]
        later = self.comfortable * (state.bars_left - 1)
        rest = min(state.rest_left, self.bar) if state.is_rest else -1
        asked = (bool(state.triplet), state.left, state.shorts, rest, state.tie, max(0, state.need - later + 3))
        found = self._fitting.get(asked)
        if found is None:
            found = self._fitting[asked] = [length for length in self.lengths if self._fits(state, length)]
        return found

    @cached_property
    def _fitting(self) -> dict[tuple[int, ...], list[int]]:
        return {}

    def _fits(self, state: Rhythm, length: int) -> bool:
        notes = 3 if state.triplet else 1
        time = 2 * length if state.triplet else length
        if time > state.left or (state.is_rest and length > state.rest_left):
            return False
        # Dotted triplets are hardly ever meant, and not every program reads them.
        if state.triplet and length & (length - 1):
            return False
        shorts = state.shorts - notes * self.shorts(length)
        if shorts < 0:
            return False
        onsets = 0 if state.is_rest or state.tie else notes
        due = max(0, state.need - onsets - self.comfortable * (state.bars_left - 1))
        left = state.left - time
        return due == 0 if left == 0 else self.capacity[shorts][left] >= max(1, due)

    def commit(self, state: Rhythm, length: int) -> Rhythm:
        """The state after the element under way turned out to be `length` grains long."""
        triplet, triplet_length, left, shorts = state.triplet, 0, state.left, state.shorts
        if not triplet:
            left -= length
            shorts -= self.shorts(length)
        else:
            if not state.triplet_length:
                left -= 2 * length
                shorts -= 3 * self.shorts(length)
            triplet -= 1
            triplet_length = length if triplet else 0
        return state._replace(
            mode=Mode.START, text="", left=left, shorts=shorts, triplet=triplet, triplet_length=triplet_length, is_rest=False,
            tie=False, chorded=False, need=max(0, state.need - (not state.is_rest and not state.tie)),
            rest_left=state.rest_left - (length if state.is_rest else 0),
        )  # fmt: skip

    def step(self, state: Rhythm, character: str) -> Rhythm | None:
        """The state after one more character, or None where it may not stand."""
        return self.graph.step(state, character)

    @cached_property
    def graph(self) -> Graph[Rhythm]:
        """The steps worked out so far."""
        return Graph(self._step)

    def _step(self, state: Rhythm, character: str) -> Rhythm | None:
        mode = state.mode
        if mode == Mode.LENGTH:
            return self._in_length(state, character)
        if mode == Mode.START:
            return self._between(state, character)
        if mode == Mode.CHORD:
            return self._in_chord(state, character)
        if mode == Mode.BRACKET:
            return state._replace(mode=Mode.TRIPLET, triplet=3) if character == "3" else None
        if mode == Mode.TRIPLET:
            return self._note(state, character)
        if mode == Mode.ACCIDENTAL:
            return state._replace(mode=Mode.LENGTH, text="") if character in LETTERS else None
        return state._replace(text="\n") if character == "\n" and not state.text else None

    def _note(self, state: Rhythm, character: str) -> Rhythm | None:
        if character in LETTERS or character in ACCIDENTALS:
            mode = Mode.LENGTH if character in LETTERS else Mode.ACCIDENTAL
            return state._replace(mode=mode, text="", spaced=False) if self.element_lengths(state) else None
        return None

    def _between(self, state: Rhythm, character: str) -> Rhythm | None:
        if state.triplet:
            return self._note(state, character)
        if character in " \n" and self.allow_spaces:
            may = not state.spaced and not state.chorded and (character == " " or state.left == self.bar)
            return state._replace(spaced=True) if may else None
        if state.left == 0:
            return self._bar_line(state) if character == "|" else None
        if character == '"':
            may = state.chords_left > 0 and not state.chorded
            return state._replace(mode=Mode.CHORD, text="", spaced=False) if may else None
        if state.chord_due:
            return None
        if character == "z":
            rest = state._replace(mode=Mode.LENGTH, text="", is_rest=True, spaced=False)
            return rest if not state.tie and self.element_lengths(rest) else None
        if character == "(":
            triplet = state._replace(mode=Mode.BRACKET, spaced=False)
            may = "3" in self.alphabet and not state.tie
            return triplet if may and self.element_lengths(state._replace(triplet=3)) else None
        return self._note(state, character)

    def _bar_line(self, state: Rhythm) -> Rhythm:
        bars_left = state.bars_left - 1
        if not bars_left:
            return state._replace(mode=Mode.DONE, bars_left=0, spaced=False)
        return state._replace(
            left=self.bar, shorts=MAX_SHORT_NOTES, spaced=False, hold=False, bars_left=bars_left,
            chords_left=self._chords_in_bar(bars_left), chord_due=self.chords and bars_left == 1 and bool(self.final_chord),
        )  # fmt: skip

    def _in_chord(self, state: Rhythm, character: str) -> Rhythm | None:
        closing = state.bars_left == 1 and self.final_chord
        following = (self.final_prefixes if closing else self.chord_prefixes).get(state.text, frozenset())
        if character not in following:
            return None
        if character != '"':
            return state._replace(text=state.text + character)
        return state._replace(mode=Mode.START, text="", chorded=True, chord_due=False, chords_left=state.chords_left - 1)

    def _in_length(self, state: Rhythm, character: str) -> Rhythm | None:
        if character in MARKS:
            return state if not state.text and not state.is_rest else None
        if character in LENGTH_CHARACTERS:
            text = state.text + character
            open_ = any(self.lengths[length].startswith(text) for length in self.element_lengths(state))
            return state._replace(text=text) if open_ else None
        length = self.written_length(state)
        if length is None:
            return None
        after = self.commit(state, length)
        return self._tie(after, state.is_rest) if character == "-" else self._between(after, character)

    def written_length(self, state: Rhythm) -> int | None:
        """Length of the element under way if it may end here, else None."""
        return next((length for length in self.element_lengths(state) if self.lengths[length] == state.text), None)

    def _tie(self, after: Rhythm, is_rest: bool) -> Rhythm | None:
        if is_rest or after.triplet or (after.left == 0 and (after.bars_left == 1 or after.hold)):
            return None
        tied = after._replace(tie=True)
        return tied if after.left == 0 or self.can_fill(tied) else None

    def canonical(self, state: Rhythm) -> Rhythm:
        """A state that permits the same tokens or slightly fewer, shared by as many states as possible."""
        slack = state.need <= self.comfortable * (state.bars_left - 3)
        return state._replace(
            need=0 if slack else state.need,
            bars_left=min(state.bars_left, 4) if slack or not state.need else state.bars_left,
            rest_left=_rounded_down(min(state.rest_left, 2 * self.bar)),
            shorts=state.shorts,
        )


@lru_cache(maxsize=64)
def shared_rhythm(rules: RhythmRules) -> RhythmRules:
    """The one instance for equal rules, so that what it has worked out is shared."""
    return rules


def _rounded_down(grains: int) -> int:
    return max(step for step in (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384) if step <= grains)


@lru_cache(maxsize=1)
def _all_chords() -> tuple[str, ...]:
    return tuple(
        root + quality + bass
        for root in _ROOTS
        for quality in QUALITIES
        for bass in ("", *(f"/{bass}" for bass in _ROOTS if bass != root))
    )


@lru_cache(maxsize=64)
def prefixes(symbols: tuple[str, ...], alphabet: frozenset[str]) -> dict[str, frozenset[str]]:
    """Beginning of a chord symbol -> characters that may follow, for the symbols that can be written in quotes."""
    following: dict[str, set[str]] = {}
    for symbol in symbols:
        if {'"', *symbol} <= alphabet:
            for index in range(len(symbol)):
                following.setdefault(symbol[:index], set()).add(symbol[index])
            following.setdefault(symbol, set()).add('"')
    return {prefix: frozenset(characters) for prefix, characters in following.items()}
