"""Takes the tune out of whatever a model answered, and leads it bar by bar through the automaton of a section.

For models that can be given neither a mask nor a grammar. What fits stays as it was written; what does not is replaced by what
is nearest: another length, another octave, a neighbouring note. The result keeps every promise that the mask keeps.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from llm_music_gen.domain.key import Key
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.abc_tune import Measure, read_tune
from llm_music_gen.notation.automaton import SectionAutomaton, State
from llm_music_gen.notation.chords import chord_pcs, chord_text, parse_chord
from llm_music_gen.notation.spec import SectionSpec
from llm_music_gen.notation.spelling import note_text

MAX_ANSWER_CHARACTERS = 60_000
#: An answer holds a tune when it has notes for this share of the bars, and this many notes a bar there.
LEAST_BARS, LEAST_NOTES_A_BAR = Fraction(1, 2), 1.0
#: Letters that music lines have outside quotes; more than a few others, and a line is prose.
_MUSIC_LETTERS = frozenset("ABCDEFGabcdefgzxZX")
_MOST_PROSE = 0.1
_HEAD = re.compile(r"^\s*([MLK]):\s*(.*)$")
_FIELD = re.compile(r"^\s*[A-Za-z]:\s*\S*")
_SET_ASIDE = re.compile(r'"[^"\n]*"|![^!\n]*!|\[[A-Za-z]:[^\]\n]*\]|%.*')
#: A chord symbol or remark, or a quote that closes or opens nothing: it would swallow the music after it.
_QUOTES = re.compile(r'"([A-G^_<>@][^"|\n]{0,20})"|"')
_NEXT_ELEMENT = '|"zABCDEFGabcdefg^_=('


@dataclass(frozen=True, slots=True)
class Mended:
    """Bars of a section."""

    text: str
    """Composer text that follows the spec's opening."""
    kept: float
    """Share of its notes that stand as the model wrote them, 0 to 1."""


@dataclass(frozen=True, slots=True)
class _Sound:
    """A note or rest that a bar should have. Times in grains, quarters of the unit length."""

    onset: int
    length: int
    pitch: int | None
    chord: str = ""


def mended(answer: str, spec: SectionSpec) -> Mended:
    """The bars of `spec` that follow its opening, from what a model answered.

    Raises NotationError when there is no tune in the answer, or the spec's promises cannot be kept at all.
    """
    automaton = SectionAutomaton(spec)
    plain = "".join(answer[:MAX_ANSWER_CHARACTERS].split())
    if _fits(automaton, plain):
        return Mended(plain, 1.0)
    bars = _bars_of(answer, spec)
    return _Walk(automaton).follow(bars)


def _fits(automaton: SectionAutomaton, text: str) -> bool:
    state: State | None = automaton.start()
    for character in text:
        state = automaton.step(state, character) if state is not None else None
    return state is not None and automaton.finished(state)


# What the answer holds


def _bars_of(answer: str, spec: SectionSpec) -> list[list[_Sound]]:
    """One list of sounds for each bar that was answered, after those of the opening if they are repeated."""
    tune = read_tune(_abc_of(answer[:MAX_ANSWER_CHARACTERS], spec))
    voices = [[_notes(measure) for measure in voice] for voice in tune.voices.values()]
    most = max(range(len(voices)), key=lambda voice: sum(voices[voice]), default=None)
    if most is None or not sum(voices[most]):
        raise NotationError("There is no tune in the answer.", hint="Ask again.")
    measures = list(_whole(list(tune.voices.values())[most], spec.meter.bar_ql))
    shift = (spec.key.tonic_pc - tune.key.tonic_pc + 5) % 12 - 5
    bars = [_sounds(measure, spec, shift) for measure in measures]
    opened = spec.opening.count("|")
    if opened and len(bars) >= spec.bars:  # it was written again although it stood there
        bars = bars[opened:]
    filled = [bar for bar in bars if sum(sound.pitch is not None for sound in bar)]
    wanted = spec.bars - opened
    notes = sum(sound.pitch is not None for bar in filled for sound in bar)
    if len(filled) < wanted * LEAST_BARS or notes < LEAST_NOTES_A_BAR * len(filled):
        raise NotationError("There is hardly a tune in the answer.", hint="Ask again.")
    return [filled[number % len(filled)] for number in range(wanted)]


def _notes(measure: Measure) -> int:
    return sum(bool(event.pitches) for event in measure.events)


def _abc_of(answer: str, spec: SectionSpec) -> str:
    """The lines of an answer that are ABC, under a head: the metre and, where nothing else is said, unit and key of the spec."""
    head = {"L": str(spec.unit), "K": spec.key.abc()}
    music: list[str] = []
    for raw in answer.splitlines():
        line = _QUOTES.sub(lambda match: match[0] if match[1] else "", raw)
        field_line = _HEAD.match(line)
        if field_line and not music and field_line[1] in head and field_line[2].strip():
            head[field_line[1]] = field_line[2].strip()
        elif _is_music(line):
            music.append(line.strip())
    return f"X:1\nM:{spec.meter}\nL:{head['L']}\nK:{head['K']}\n" + "\n".join(music) + "\n"


def _is_music(line: str) -> bool:
    if re.match(r"^\s*V:", line):
        return True
    if _FIELD.match(line) and "|" not in line:
        return False
    bare = _SET_ASIDE.sub("", line)
    letters = [character for character in bare if character.isalpha()]
    strange = sum(character not in _MUSIC_LETTERS for character in letters)
    return bool(letters) and ("|" in bare or len(letters) >= 4) and strange <= _MOST_PROSE * len(letters)


def _whole(measures: Sequence[Measure], bar_ql: Fraction) -> Iterator[Measure]:
    """Measures of about a bar: a pickup is dropped, two halves around a repeat sign are joined."""
    waiting: Measure | None = None
    for number, measure in enumerate(measures):
        if waiting is not None and waiting.length_ql + measure.length_ql <= bar_ql:
            moved = [replace(event, onset_ql=event.onset_ql + waiting.length_ql) for event in measure.events]
            symbols = [(onset_ql + waiting.length_ql, text) for onset_ql, text in measure.symbols]
            measure.events[:] = [*waiting.events, *moved]
            measure.symbols[:] = [*waiting.symbols, *symbols]
            measure.length_ql += waiting.length_ql
            waiting = None
        if not number and measure.length_ql * 2 < bar_ql:
            continue
        if waiting is not None:
            yield waiting
        waiting = measure if measure.length_ql < bar_ql else None
        if waiting is None:
            yield measure
    if waiting is not None:
        yield waiting


def _sounds(measure: Measure, spec: SectionSpec, shift: int) -> list[_Sound]:
    grain_ql = spec.unit  # a quarter of the unit length, in quarter notes: unit x 4 / 4
    symbols = dict(measure.symbols)
    sounds: list[_Sound] = []
    tied = False
    for event in measure.events:
        onset, end = round(event.onset_ql / grain_ql), round((event.onset_ql + event.duration_ql) / grain_ql)
        if onset >= spec.bar_grains or end <= onset:
            continue
        pitch = max(event.pitches) + shift if event.pitches else None
        chord = _chord(symbols.get(event.onset_ql, ""), spec.key, shift)
        length = min(end, int(spec.bar_grains)) - onset
        if tied and sounds and sounds[-1].pitch == pitch and not chord:
            sounds[-1] = replace(sounds[-1], length=onset + length - sounds[-1].onset)
        else:
            sounds.append(_Sound(onset, length, pitch, chord))
        tied = event.tied
    return sounds


def _chord(symbol: str, key: Key, shift: int) -> str:
    try:
        chord = parse_chord(symbol)
    except NotationError:
        return ""
    bass = None if chord.bass_pc is None else (chord.bass_pc + shift) % 12
    return chord_text(replace(chord, root_pc=(chord.root_pc + shift) % 12, bass_pc=bass), key)


# The way through the automaton


@dataclass
class _Walk:
    """Writes bar after bar. A state that the automaton gives can always be gone on from, so the walk never ends in a wall."""

    automaton: SectionAutomaton
    text: str = ""
    written: int = 0
    verbatim: int = 0
    state: State = field(init=False)
    accidentals: dict[str, int] = field(default_factory=dict)
    pitch: int = 0
    left: int = 0
    """Grains left in the bar."""

    def __post_init__(self) -> None:
        spec = self.automaton.spec
        self.state = self.automaton.start()
        self.pitch = (spec.low_pitch + spec.high_pitch) // 2 if spec.previous_pitch is None else spec.previous_pitch

    def follow(self, bars: Sequence[Sequence[_Sound]]) -> Mended:
        for bar in bars:
            self._bar(bar)
        return Mended(self.text, self.verbatim / max(1, self.written))

    def _bar(self, bar: Sequence[_Sound]) -> None:
        self.accidentals = {}
        whole = self.left = self.automaton.rhythm.bar
        for sound in bar:
            # What came before may have taken longer or shorter than it was written.
            length = min(self.left, sound.onset + sound.length - (whole - self.left))
            if length > 0:
                self._element(replace(sound, length=length))
        while not self._try("|"):
            self._element(_Sound(0, self.left, self.pitch))
        self.text += "|"

    def _element(self, wish: _Sound) -> None:
        """Write what is nearest to a wish among all that may stand here."""
        lengths = self.automaton.rhythm.lengths
        for cost, (chord, pitch, length) in enumerate(self._ways(wish)):
            accidentals = dict(self.accidentals)
            name = "z" if pitch is None else note_text(pitch, self.automaton.spec.key, accidentals)
            text = (f'"{chord}"' if chord else "") + name + lengths[length]
            if self._try(text):
                self.text += text
                self.left -= length
                self.accidentals = accidentals
                self.pitch = self.pitch if pitch is None else pitch
                self.written += 1
                self.verbatim += cost == 0
                return
        raise NotationError("The bar cannot be mended.", hint="Ask again.")

    def _ways(self, wish: _Sound) -> Iterator[tuple[str, int | None, int]]:
        """Chord, pitch and written length, the nearest to the wish first."""
        pitches: list[int | None] = [] if wish.pitch is None else [wish.pitch, wish.pitch + 12, wish.pitch - 12]
        middle = self.pitch if wish.pitch is None else wish.pitch
        by_distance = sorted(self.automaton.melody.pitches, key=lambda pitch: (abs(pitch - middle), pitch))
        scale = set(self.automaton.spec.key.scale_pcs)
        pitches += [pitch for pitch in by_distance if pitch % 12 in scale]
        pitches += [pitch for pitch in by_distance if pitch % 12 not in scale]
        if wish.pitch is None:
            pitches.insert(0, None)
        lengths = sorted(self.automaton.rhythm.lengths, key=lambda length: (length > wish.length, abs(length - wish.length)))
        for length, pitch, chord in itertools.product(lengths, dict.fromkeys(pitches), self._chords(wish, middle)):
            yield chord, pitch, length

    def _chords(self, wish: _Sound, pitch: int) -> list[str]:
        """The chord asked for, its triad, none, and where there must be one, any: those with the note in them first."""
        spec = self.automaton.spec
        if not spec.chords:
            return [""]
        allowed = spec.chord_symbols or (("C", "F", "G", "Am") if not wish.chord else (wish.chord,))
        triad = re.sub(r"(maj7|m7b5|7sus4|sus4|sus2|maj9|7|9|6|5)?(/.*)?$", "", wish.chord)
        wished = [chord for chord in (wish.chord, triad) if chord and (chord in allowed or not spec.chord_symbols)]
        required = [spec.final_chord] if spec.final_chord else []
        others = sorted(allowed, key=lambda symbol: pitch % 12 not in chord_pcs(parse_chord(symbol)))
        return list(dict.fromkeys([*wished, "", *required, *others]))

    def _try(self, text: str) -> bool:
        """Step over a text if it may stand here as a whole element."""
        state: State | None = self.state
        for character in text:
            state = self.automaton.step(state, character) if state is not None else None
        if state is None:
            return False
        if text != "|" and all(self.automaton.step(state, character) is None for character in _NEXT_ELEMENT):
            return False  # only a longer length may follow
        self.state = state
        return True
