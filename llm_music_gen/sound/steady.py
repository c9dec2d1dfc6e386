"""Where a frequency is promised, presets that waver around their pitch give way to steady ones of their kind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

from llm_music_gen.domain.score import Arrangement, Part
from llm_music_gen.sound.synth import FluidNoteSynth

#: A preset whose pitch moves by more than this around its mean has a vibrato or chorus of its own.
MOST_SPREAD_CENTS = 2.0
_FAMILY = 8
#: Where the family has none: held sounds become the studio's own pad, others a preset that rings without wavering.
_HELD_ROLES = frozenset(("pad", "chords", "counter"))
_HELD_PROGRAMS = frozenset((*range(16, 24), *range(40, 56), *range(88, 96)))
_RINGING = (11, 4, 8, 10)  # vibraphone, electric piano, celesta, music box


@contextlib.contextmanager
def steadiness(soundfont: Path) -> Iterator[Steadiness]:
    """What can be asked of one soundfont. Raises SoundError, SoundfontMissing."""
    synth = FluidNoteSynth(soundfont)
    try:
        yield Steadiness(synth)
    finally:
        synth.close()


class Steadiness:
    """Knows which presets stand still; asking twice costs nothing."""

    def __init__(self, synth: FluidNoteSynth) -> None:
        self._synth = synth

    def is_steady(self, program: int, pitch: int, bank: int = 0) -> bool:
        """Whether the preset keeps its pitch at a key; False where there is no such preset."""
        hold = self._synth.hold(bank, program, pitch)
        return hold is not None and hold.spread_cents <= MOST_SPREAD_CENTS

    def steadied(self, arrangement: Arrangement) -> tuple[Arrangement, tuple[str, ...]]:
        """The arrangement with steady presets only, and one sentence for each that was replaced."""
        parts, hints = [], []
        for part in arrangement.parts:
            other = self._other(part)
            if other is not part:
                hints.append(f"{part.name} wavers around its pitch in this soundfont, so a steady sound plays it.")
            parts.append(other)
        return replace(arrangement, parts=tuple(parts)), tuple(dict.fromkeys(hints))

    def _other(self, part: Part) -> Part:
        if part.is_drums or part.voice or not part.notes:
            return part
        pitch = round(median(note.pitch for note in part.notes))
        if self.is_steady(part.program, pitch, part.bank):
            return part
        first = part.program // _FAMILY * _FAMILY
        for program in range(first, first + _FAMILY):
            if self.is_steady(program, pitch):
                return replace(part, program=program, bank=0)
        if part.role in _HELD_ROLES or part.program in _HELD_PROGRAMS:
            return replace(part, voice="pad")
        return next((replace(part, program=program, bank=0) for program in _RINGING if self.is_steady(program, pitch)), part)
