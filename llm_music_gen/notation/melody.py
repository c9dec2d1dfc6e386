"""The pitch half of the automaton: range, leaps, accidentals, ties to the same pitch. It does not look at lengths."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from llm_music_gen.domain.key import LETTER_PC, Key
from llm_music_gen.notation.memo import Graph
from llm_music_gen.notation.rhythm import ACCIDENTALS, LETTERS

_ALTER = {"^": 1, "_": -1, "=": 0}
#: More octave marks than any pitch from 0 to 127 needs.
_MAX_MARKS = 6


class Melody(NamedTuple):
    """Where the melody stands."""

    previous: int
    """Pitch of the last complete note, -1 before the first; -1 too while a note is being written (see `options`)."""
    name: str
    """Letter of the last complete note, C to B."""
    accidentals: tuple[tuple[str, int], ...]
    """Letter -> semitones, as written in this bar, sorted."""
    quoted: bool
    """Whether a chord symbol is being written."""
    tie: bool
    """Whether the next note continues the last one, under the same letter."""
    accidental: str
    """Accidental of the note under way."""
    letter: str
    """Letter of the note under way, as written, or ""."""
    options: tuple[int, ...]
    """Pitches of the note under way with no, one, two... further octave marks; -1 for one that is out of reach."""


START = Melody(-1, "", (), False, False, "", "", ())


@dataclass(frozen=True)
class MelodyRules:
    """What the pitches of a kind of section obey. Hashable: automata with equal rules share their memory."""

    key: Key
    low_pitch: int
    high_pitch: int
    max_leap: int
    pitch_classes: frozenset[int]
    alphabet: frozenset[str]

    @cached_property
    def has_accidentals(self) -> bool:
        """Whether all three accidentals can be written; with fewer none is used, since one could not be taken back."""
        return self.alphabet >= ACCIDENTALS

    @cached_property
    def pitches(self) -> frozenset[int]:
        """Every pitch that can be written at all, inside the range."""
        alters = ("", "^", "_", "=") if self.has_accidentals else ("",)
        written = {
            pitch
            for letter in LETTERS & self.alphabet
            for accidental in alters
            for pitch in self._with_marks(letter, self._alter(letter, accidental, ()))
        }
        return frozenset(pitch for pitch in written if self._fits(pitch))

    def _fits(self, pitch: int) -> bool:
        return self.low_pitch <= pitch <= self.high_pitch and pitch % 12 in self.pitch_classes

    def reach(self, pitch: int) -> frozenset[int]:
        """Pitches that may follow `pitch` (-1: any)."""
        return self.pitches if pitch < 0 else frozenset(other for other in self.pitches if abs(other - pitch) <= self.max_leap)

    def _alter(self, letter: str, accidental: str, written: tuple[tuple[str, int], ...]) -> int:
        if accidental:
            return _ALTER[accidental]
        name = letter.upper()
        return dict(written).get(name, self.key.signature.get(name, 0))

    def _with_marks(self, letter: str, alter: int) -> list[int]:
        pitch, step, mark = (72, 12, "'") if letter.islower() else (60, -12, ",")
        marks = _MAX_MARKS if mark in self.alphabet else 0
        return [pitch + LETTER_PC[letter.upper()] + alter + step * count for count in range(marks + 1)]

    def _options(self, state: Melody, letter: str) -> tuple[int, ...]:
        if state.tie and letter.upper() != state.name:
            return ()
        options = []
        for pitch in self._with_marks(letter, self._alter(letter, state.accidental, state.accidentals)):
            near = pitch == state.previous if state.tie else state.previous < 0 or abs(pitch - state.previous) <= self.max_leap
            options.append(pitch if near and self._fits(pitch) else -1)
        while options and options[-1] < 0:
            options.pop()
        return tuple(options)

    def reachable(self, state: Melody) -> frozenset[int]:
        """Pitches that the note under way can still become."""
        if state.letter:
            return frozenset(pitch for pitch in state.options if pitch >= 0)
        return frozenset(pitch for letter in LETTERS & self.alphabet for pitch in self._options(state, letter) if pitch >= 0)

    def sounding(self, state: Melody) -> int:
        """Pitch of the note under way as written so far, or of the last one."""
        return state.options[0] if state.letter else state.previous

    def step(self, state: Melody, character: str) -> Melody | None:
        """The state after one more character, or None where it may not stand."""
        return self.graph.step(state, character)

    @cached_property
    def graph(self) -> Graph[Melody]:
        """The steps worked out so far."""
        return Graph(self._step)

    def _step(self, state: Melody, character: str) -> Melody | None:
        if state.quoted:
            return state._replace(quoted=False) if character == '"' else state
        if state.letter:
            if character in "',":
                fits = character == ("'" if state.letter.islower() else ",") and len(state.options) > 1
                return state._replace(options=state.options[1:]) if fits else None
            complete = self.complete(state)
            return None if complete is None else self.step(complete, character)
        if character in LETTERS:
            options = self._options(state, character)
            if not options:
                return None
            return state._replace(letter=character, options=options, previous=-1, name="", tie=False)
        if state.accidental:
            return None
        if character in ACCIDENTALS:
            if not self.has_accidentals:
                return None
            marked = state._replace(accidental=character)
            return marked if any(self._options(marked, letter) for letter in LETTERS & self.alphabet) else None
        if character == '"':
            return state._replace(quoted=True)
        if character == "|":
            return state._replace(accidentals=())
        return state._replace(tie=True) if character == "-" else state

    def complete(self, state: Melody) -> Melody | None:
        """The state once the note under way has ended, or None if it is out of reach as it stands."""
        pitch = state.options[0]
        if pitch < 0:
            return None
        accidentals = state.accidentals
        if state.accidental:
            accidentals = tuple(sorted({**dict(accidentals), state.letter.upper(): _ALTER[state.accidental]}.items()))
        return Melody(pitch, state.letter.upper(), accidentals, False, False, "", "", ())


@lru_cache(maxsize=64)
def shared_melody(rules: MelodyRules) -> MelodyRules:
    """The one instance for equal rules, so that what it has worked out is shared."""
    return rules
