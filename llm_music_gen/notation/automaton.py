"""The automaton of one section: rhythm and melody side by side, and what ties them together in a few bars.

Rhythm and pitch obey independent rules in most bars. A bar is *coupled* when a promise needs both: the last bar that must end on
the tonic, a bar that must bring new pitches, a bar that must differ from the ones before. In coupled bars there are no triplets
and no ties, and no tie leads into one, which keeps the proof short that every bar can be completed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from llm_music_gen.errors import NotationError
from llm_music_gen.notation.melody import START, Melody, MelodyRules, shared_melody
from llm_music_gen.notation.rhythm import Mode, Rhythm, RhythmRules, shared_rhythm
from llm_music_gen.notation.spec import SectionSpec

#: Every character of the composer text.
CHARACTERS = frozenset("ABCDEFGabcdefgz0123456789/|\"(^_=',-#m adijsu\n")
#: New pitches that a bar can bring comfortably when earlier bars had too few.
COMFORTABLE_NEW_PITCHES = 2


class Memory(NamedTuple):
    """What has been heard so far, as far as a promise depends on it."""

    used: frozenset[int]
    """Pitches heard, until there are enough."""
    events: tuple[tuple[int, int], ...]
    """(pitch or -1, grains) of the bar under way, until enough bars differ."""
    bars: frozenset[tuple[tuple[int, int], ...]]
    """Bars heard, until enough of them differ."""
    pitches_needed: int
    """Different pitches that the section still needs."""
    bars_needed: int
    """Different bars that the section still needs."""
    new_pitches: int
    """New pitches that this bar must still bring."""
    differs: bool
    """Whether this bar must differ from all before it."""
    closing: bool
    """Whether this bar ends on the tonic."""

    @property
    def coupled(self) -> bool:
        """Whether rhythm and melody depend on each other in this bar."""
        return bool(self.new_pitches or self.differs or self.closing)


class State(NamedTuple):
    """Where the section stands."""

    rhythm: Rhythm
    melody: Melody
    memory: Memory


@dataclass(frozen=True)
class SectionAutomaton:
    """Says which character may follow. Raises NotationError when the promises cannot be kept with this alphabet."""

    spec: SectionSpec
    alphabet: frozenset[str] = CHARACTERS
    rhythm: RhythmRules = field(init=False)
    melody: MelodyRules = field(init=False)

    def __post_init__(self) -> None:
        spec, usable = self.spec, self.alphabet & CHARACTERS
        rhythm = RhythmRules(
            spec.meter, spec.unit, spec.chords, spec.chord_symbols, spec.final_chord if spec.chords else "",
            spec.max_chords_per_bar, spec.allow_spaces, usable,
        )  # fmt: skip
        melody = MelodyRules(spec.key, spec.low_pitch, spec.high_pitch, spec.max_leap, spec.pitch_classes, usable)
        object.__setattr__(self, "rhythm", shared_rhythm(rhythm))
        object.__setattr__(self, "melody", shared_melody(melody))
        self._check()

    def _check(self) -> None:
        spec, pitches = self.spec, self.melody.pitches
        if "|" not in self.alphabet or self.rhythm.capacity[-1][self.rhythm.bar] < 1 or not pitches:
            raise NotationError(
                "With these characters no bar can be written.", hint="The vocabulary lacks letters, lengths or |."
            )
        if spec.chords and not self.rhythm.chord_prefixes.get(""):
            raise NotationError("With these characters no chord symbol can be written.", hint="Write without chords.")
        if spec.chords and spec.final_chord and not self.rhythm.final_prefixes.get(""):
            raise NotationError(f"The chord {spec.final_chord!r} cannot be written with these characters.", hint="Leave it open.")
        if spec.onsets > self.rhythm.comfortable * spec.bars:
            most = self.rhythm.comfortable * spec.bars
            raise NotationError(
                f"{spec.onsets} notes are too many to promise in {spec.bars} bars.", hint=f"Ask for at most {most}."
            )
        fewest = min(len(self.melody.reach(pitch)) for pitch in pitches)
        room = self._room_for_new_pitches()
        if fewest < 2 or spec.pitches >= fewest or spec.pitches > room:
            most = min(room, fewest - 1)
            raise NotationError(
                f"{spec.pitches} different pitches are too many to promise here.", hint=f"Ask for at most {most}."
            )
        if spec.closes and not all(self.tonics & self.melody.reach(pitch) for pitch in pitches):
            raise NotationError("The tonic is out of reach of some notes.", hint="Widen the range or the largest leap.")

    def _room_for_new_pitches(self) -> int:
        """New pitches that the section can bring even if it puts them off as long as it may."""
        if self.spec.bars == 1:
            return self.rhythm.capacity[-1][self.rhythm.bar] - self.spec.closes
        return self._new_per_bar * (self.spec.bars - self.spec.closes)

    @cached_property
    def _new_per_bar(self) -> int:
        return min(COMFORTABLE_NEW_PITCHES, self.rhythm.capacity[-1][self.rhythm.bar])

    @cached_property
    def tonics(self) -> frozenset[int]:
        """Pitches of the tonic inside the range."""
        return frozenset(pitch for pitch in self.melody.pitches if pitch % 12 == self.spec.key.tonic_pc)

    def start(self) -> State:
        """The state before the first character, after the spec's opening. Raises NotationError if the opening does not fit."""
        spec = self.spec
        rhythm = self.rhythm.start(spec.bars, spec.onsets, spec.rest_grains)
        melody = START if spec.previous_pitch is None else START._replace(previous=self._nearest(spec.previous_pitch))
        memory = Memory(frozenset(), (), frozenset(), spec.pitches, spec.distinct_bars, 0, False, False)
        state = self._at_bar_start(State(rhythm, melody, memory))
        for position, character in enumerate(spec.opening):
            following = self.step(state, character)
            if following is None:
                raise NotationError(
                    f"The opening of section {spec.label!r} does not fit at character {position + 1}.", hint="Shorten it."
                )
            state = following
        return state

    def _nearest(self, pitch: int) -> int:
        return min(self.melody.pitches, key=lambda other: (abs(other - pitch), other))

    def step(self, state: State, character: str) -> State | None:
        """The state after one more character, or None where it may not stand."""
        rhythm = self.rhythm.step(state.rhythm, character) if character in self.alphabet else None
        if rhythm is None:
            return None
        melody = self.melody.step(state.melody, character)
        if melody is None:
            return None
        if state.memory.coupled and state.rhythm.mode != Mode.CHORD and character in "(-":
            return None
        memory = state.memory
        if state.rhythm.mode == Mode.LENGTH and character not in "0123456789/',":
            memory = self._heard(state)
        after = State(rhythm, melody, memory)
        if character == "|" and state.rhythm.mode != Mode.CHORD:
            return self._at_bar_start(after) if self._bar_kept(memory) else None
        return after if not memory.coupled or self._can_keep(after) else None

    def _heard(self, state: State) -> Memory:
        """Remember the element that has just turned out to be complete."""
        rhythm, memory = state.rhythm, state.memory
        length = self.rhythm.written_length(rhythm)
        assert length is not None, "the rhythm accepted what follows"
        pitch = -1 if rhythm.is_rest else self.melody.sounding(state.melody)
        return self._remember(memory, pitch, length)

    @staticmethod
    def _remember(memory: Memory, pitch: int, length: int) -> Memory:
        used, needed, new = memory.used, memory.pitches_needed, memory.new_pitches
        if needed and pitch >= 0 and pitch not in used:
            used, needed, new = used | {pitch}, needed - 1, max(0, new - 1)
        events = (*memory.events, (pitch, length)) if memory.bars_needed or memory.closing else memory.events
        return memory._replace(used=used if needed else frozenset(), events=events, pitches_needed=needed, new_pitches=new)

    def _bar_kept(self, memory: Memory) -> bool:
        """Whether a complete bar keeps its promises."""
        if memory.new_pitches or (memory.differs and memory.events in memory.bars):
            return False
        return not memory.closing or memory.events[-1][0] in self.tonics

    def _at_bar_start(self, state: State) -> State:
        """Work out what the bar that begins here must bring."""
        memory, rhythm = state.memory, state.rhythm
        if memory.bars_needed and memory.events and memory.events not in memory.bars:
            memory = memory._replace(bars=memory.bars | {memory.events}, bars_needed=memory.bars_needed - 1)
        if not memory.bars_needed:
            memory = memory._replace(bars=frozenset())
        memory = self._promise(memory._replace(events=()), rhythm.bars_left)
        # The next bar may be coupled if this one brings as little as it may: then no tie may lead over into it.
        least = memory if memory.bars else memory._replace(bars=frozenset({()}), bars_needed=max(0, memory.bars_needed - 1))
        hold = rhythm.bars_left > 1 and self._promise(least, rhythm.bars_left - 1).coupled
        return State(rhythm._replace(hold=hold), state.melody, memory)

    def _promise(self, memory: Memory, bars_left: int) -> Memory:
        last_is_closing = self.spec.closes
        open_bars = bars_left - (last_is_closing and bars_left > 1)
        new = max(0, memory.pitches_needed - self._new_per_bar * (open_bars - 1)) if bars_left else 0
        differs = bool(memory.bars) and memory.bars_needed > 0 and memory.bars_needed >= open_bars
        return memory._replace(new_pitches=new, differs=differs, closing=last_is_closing and bars_left == 1)

    def _can_keep(self, state: State) -> bool:
        """Whether a coupled bar can still keep its promises."""
        rhythm, melody, memory = state
        if rhythm.mode not in (Mode.LENGTH, Mode.ACCIDENTAL):
            return self._free_bar_can_keep(memory, rhythm.left, rhythm.shorts)
        pitches = frozenset({-1}) if rhythm.is_rest else self._pitches(rhythm, melody)
        lengths = [
            length for length in self.rhythm.element_lengths(rhythm) if self.rhythm.lengths[length].startswith(rhythm.text)
        ]
        return any(
            self._free_bar_can_keep(
                self._remember(memory, pitch, length), rhythm.left - length, rhythm.shorts - self.rhythm.shorts(length)
            )
            for pitch in pitches
            for length in lengths
        )

    def _pitches(self, rhythm: Rhythm, melody: Melody) -> frozenset[int]:
        """Pitches that the note under way can still have."""
        complete = rhythm.mode == Mode.LENGTH and not melody.letter
        return frozenset({melody.previous}) if complete else self.melody.reachable(melody)

    def _free_bar_can_keep(self, memory: Memory, left: int, shorts: int) -> bool:
        if left == 0:
            return self._bar_kept(memory)
        due = memory.new_pitches + (memory.closing and memory.new_pitches > 0)
        return self.rhythm.capacity[shorts][left] >= max(1, due)

    @staticmethod
    def finished(state: State) -> bool:
        """Whether the last bar line stands."""
        return state.rhythm.mode == Mode.DONE
