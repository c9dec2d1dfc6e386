"""The same promises as a GBNF grammar, for model servers that take a grammar instead of a token mask.

A context-free grammar cannot carry every promise of the automaton, so it is narrower: the melody stays in a window that no leap
can leave, nothing is tied, a rest only ends a bar, chord symbols stand at the beginning and in the middle of a bar, and the new
pitches and different bars that are still needed are handed out to the coming bars through their first notes. Whatever it
generates, the automaton accepts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from llm_music_gen.domain.key import LETTER_PC
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.automaton import SectionAutomaton, State
from llm_music_gen.notation.rhythm import Mode
from llm_music_gen.notation.spelling import ACCIDENTAL_TEXT, SpelledPitch

#: Written lengths of triplet notes, in grains.
TRIPLET_LENGTHS = (2, 4, 8)


@dataclass(frozen=True, slots=True)
class BarPlan:
    """What one bar must bring."""

    onsets: int
    """Fewest notes."""
    first: tuple[tuple[int, ...], ...]
    """For each of the first notes that is prescribed: the pitches it may have."""
    closing: bool
    """Whether the bar ends on the tonic."""
    rest_grains: int
    """Longest rest at its end."""
    chord: str
    """Rule of the chord symbol that must stand first, or ""."""
    more_chords: bool
    """Whether other chord symbols may follow."""


def section_grammar(automaton: SectionAutomaton, state: State) -> str:
    """The section from here to its end as GBNF with the rule `root`.

    `state` stands at the beginning of a bar with nothing tied. Raises NotationError otherwise, or when the promises are too many
    for a grammar.
    """
    rhythm = state.rhythm
    if rhythm.mode == Mode.DONE:
        return 'root ::= ""\n'
    if rhythm.mode != Mode.START or rhythm.left != automaton.rhythm.bar or rhythm.tie or rhythm.chorded or rhythm.triplet:
        raise NotationError("A grammar begins at a bar line with nothing tied.", hint="Finish the bar first.")
    return _Grammar(automaton, state).text()


class _Grammar:
    """Collects rules; each rule says how the rest of a bar is filled."""

    def __init__(self, automaton: SectionAutomaton, state: State) -> None:
        self.automaton = automaton
        self.state = state
        self.rules: dict[str, str] = {}
        self.alters = self.automaton.melody.has_accidentals
        self.window = self._window(1 if self.alters else 0)
        self.lengths = self._lengths()
        self.most = self._most_elements()

    def text(self) -> str:
        plans = self._plans()
        self._note_rules()
        self.rules = {"root": " ".join(self._bar(plan) for plan in plans), **self.rules}
        return "".join(f"{name} ::= {body}\n" for name, body in self.rules.items())

    def _window(self, margin: int) -> dict[int, str]:
        """Pitch -> letter with marks, for the notes of the key inside a window that no leap can leave.

        An accidental moves a note by a semitone, so with accidentals the window keeps that margin.
        """
        spec = self.automaton.spec
        span = min(spec.max_leap, spec.high_pitch - spec.low_pitch) - 2 * margin
        previous = self.state.melody.previous
        centre = previous if previous >= 0 else (spec.low_pitch + spec.high_pitch) // 2
        lowest, highest = spec.low_pitch + margin, spec.high_pitch - margin - span
        starts = sorted(range(lowest, highest + 1), key=lambda start: (abs(start + span // 2 - centre), start))
        for start in starts:
            notes = self._scale_notes(start, start + span)
            near = previous < 0 or start - margin <= previous <= start + span + margin
            if near and (not spec.closes or any(pitch in self.automaton.tonics for pitch in notes)):
                return notes
        if margin:
            self.alters = False
            return self._window(0)
        raise NotationError("No grammar can keep this section's range.", hint="Widen the range.")

    def _scale_notes(self, low: int, high: int) -> dict[int, str]:
        signature = self.automaton.spec.key.signature
        spelled = (SpelledPitch(letter, signature.get(letter, 0), octave) for octave in range(11) for letter in LETTER_PC)
        inside = {note.midi: note.letter_text for note in spelled if low <= note.midi <= high}
        return {pitch: text for pitch, text in sorted(inside.items()) if set(text) <= self.automaton.alphabet}

    def _lengths(self) -> dict[int, str]:
        """Lengths without short notes, unless the metre cannot do without."""
        rhythm = self.automaton.rhythm
        plain = {length: text for length, text in rhythm.lengths.items() if not rhythm.shorts(length)}
        return plain if rhythm.capacity[0][rhythm.bar] > 0 else rhythm.lengths

    def _most_elements(self) -> list[int]:
        most = [0]
        for grains in range(1, self.automaton.rhythm.bar + 1):
            best = max((most[grains - length] for length in self.lengths if length <= grains), default=-1)
            most.append(best + 1 if best >= 0 else -1)
        return most

    def _plans(self) -> list[BarPlan]:
        """Spread what the section still needs evenly over its bars."""
        rhythm = self.state.rhythm
        spec, bars = self.automaton.spec, rhythm.bars_left
        open_bars = bars - (spec.closes and bars > 1)
        firsts = self._prescribed(open_bars)
        plans = []
        for number in range(bars):
            last = number == bars - 1
            first = firsts[number] if number < len(firsts) else ()
            chord = "final" if last and spec.chords and spec.final_chord else "chord" if rhythm.chord_due and not number else ""
            onsets = max(-(-rhythm.need // bars), len(first) + (spec.closes and last))
            rest = 0 if spec.closes and last else min(rhythm.rest_left // bars, self.automaton.rhythm.bar // 2)
            more = spec.chords and chord != "final" and spec.max_chords_per_bar > 1
            plans.append(BarPlan(onsets, first, spec.closes and last, rest, chord, more))
        return plans

    def _prescribed(self, open_bars: int) -> list[tuple[tuple[int, ...], ...]]:
        """For each coming bar, what its first notes may be: a first note unlike other bars', then pitches not heard before."""
        memory = self.state.memory
        beginnings = {bar[0][0] for bar in memory.bars if bar}
        different = memory.bars_needed if memory.bars or self.state.rhythm.bars_left > 1 else 0
        first = self._dealt(different, beginnings)
        new = self._dealt(memory.pitches_needed, memory.used)
        per_bar = -(-len(new) // max(1, open_bars))
        return [
            (*first[number : number + 1], *new[number * per_bar : (number + 1) * per_bar])
            for number in range(max(len(first), -(-len(new) // max(1, per_bar))))
        ]

    def _dealt(self, count: int, heard: Collection[int]) -> list[tuple[int, ...]]:
        """The notes of the window that were not heard, dealt out to `count` groups."""
        fresh = [pitch for pitch in self.window if pitch not in heard]
        if count > len(fresh):
            raise NotationError(
                f"A grammar cannot promise {count} new notes here.", hint="Ask for fewer different pitches or bars."
            )
        return [tuple(fresh[number::count]) for number in range(count)]

    def _note_rules(self) -> None:
        self.rules["note"] = " | ".join(f'"{text}"' for pitch in self.window for text in self._spellings(pitch))
        spec, rhythm = self.automaton.spec, self.automaton.rhythm
        tonics = [text for pitch, text in self.window.items() if pitch in self.automaton.tonics]
        if spec.closes:
            # The accidental makes sure that the letter sounds the tonic whatever stands before it in the bar.
            alter = spec.key.signature.get(spec.key.tonic[0], 0)
            accidental = ACCIDENTAL_TEXT[alter] if self.alters else ""
            self.rules["tonic"] = " | ".join(f'"{accidental}{text}"' for text in tonics)
        if spec.chords:
            symbols = spec.chord_symbols or _SIMPLE_CHORDS
            self.rules["chord"] = " | ".join(f'"\\"{symbol}\\""' for symbol in symbols if set(symbol) <= rhythm.alphabet)
        if spec.chords and spec.final_chord:
            self.rules["final"] = f'"\\"{spec.final_chord}\\""'

    def _spellings(self, pitch: int) -> Iterator[str]:
        """A note of the scale as it is, and where possible raised, lowered or natural by a semitone."""
        text = self.window[pitch]
        yield text
        if not self.alters:
            return
        alter = self.automaton.spec.key.signature.get(text[0].upper(), 0)
        classes = self.automaton.spec.pitch_classes
        shifts = [other for other in (-1, 0, 1) if abs(other - alter) <= 1 and (pitch + other - alter) % 12 in classes]
        yield from (ACCIDENTAL_TEXT[other] + text for other in shifts)

    def _bar(self, plan: BarPlan) -> str:
        """The body of one bar: its prescribed beginning, then a rule for what is left."""
        left = self.automaton.rhythm.bar
        if not self._leaves_room(left, plan.onsets):
            raise NotationError(f"A grammar cannot promise {plan.onsets} notes a bar here.", hint="Ask for fewer notes.")
        opening = f"{plan.chord} " if plan.chord else "chord? " if plan.more_chords else ""
        return opening + self._after_first(plan, left, plan.onsets, 0) + ' "|"'

    def _after_first(self, plan: BarPlan, left: int, onsets: int, number: int) -> str:
        if number == len(plan.first):
            return self._rest_of_bar(plan, left, onsets)
        name = (
            f"p{'-'.join(map(str, plan.first[number]))}-n{number}-r{left}-{self._kind(plan, onsets)}-{_name(plan.first[number:])}"
        )
        if name not in self.rules:
            self.rules[name] = ""
            notes = " | ".join(f'"{self.window[pitch]}"' for pitch in plan.first[number])
            ways = [
                f'"{text}" {self._after_first(plan, left - length, max(0, onsets - 1), number + 1)}'
                for length, text in self.lengths.items()
                if self._leaves_room(left - length, max(0, onsets - 1))
            ]
            self.rules[name] = f"({notes}) ({' | '.join(ways)})"
        return name

    def _leaves_room(self, left: int, onsets: int) -> bool:
        return left >= 0 and (onsets == 0 if left == 0 else self.most[left] >= max(1, onsets))

    @staticmethod
    def _kind(plan: BarPlan, onsets: int) -> str:
        return f"k{onsets}-z{plan.rest_grains}{'-end' if plan.closing else ''}{'-c' if plan.more_chords else ''}"

    def _rest_of_bar(self, plan: BarPlan, left: int, onsets: int) -> str:
        """Name of the rule that fills the last `left` grains of a bar with at least `onsets` notes."""
        if left == 0:
            return '""'
        name = f"r{left}-{self._kind(plan, onsets)}"
        if name not in self.rules:
            self.rules[name] = ""
            chord = "chord? " if plan.more_chords and left * 2 == self.automaton.rhythm.bar else ""
            self.rules[name] = f"{chord}({' | '.join(self._ways(plan, left, onsets))})"
        return name

    def _ways(self, plan: BarPlan, left: int, onsets: int) -> Iterator[str]:
        after = max(0, onsets - 1)
        lengths = [
            f'"{text}" {self._rest_of_bar(plan, left - length, after)}'
            for length, text in self.lengths.items()
            if self._leaves_room(left - length, after) and not (plan.closing and left == length)
        ]
        if lengths:
            yield f"note ({' | '.join(lengths)})"
        if plan.closing and onsets <= 1 and left in self.lengths:
            yield f'tonic "{self.lengths[left]}"'
        if onsets == 0 and left <= plan.rest_grains and left in self.lengths:
            yield f'"z{self.lengths[left]}"'
        for length in TRIPLET_LENGTHS:
            rest = left - 2 * length
            free = not plan.closing and not plan.first and length in self.lengths and set("(3") <= self.automaton.alphabet
            if free and self._leaves_room(rest, max(0, onsets - 3)):
                note = f'note "{self.lengths[length]}"'
                yield f'"(3" {note} {note} {note} {self._rest_of_bar(plan, rest, max(0, onsets - 3))}'


def _name(groups: tuple[tuple[int, ...], ...]) -> str:
    return "x".join("-".join(map(str, group)) for group in groups)


_SIMPLE_CHORDS = tuple(
    root + quality
    for root in ("C", "C#", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
    for quality in ("", "m", "7", "m7", "maj7", "dim", "m7b5", "sus4")
)
