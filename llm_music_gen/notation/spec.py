"""What a section must be: the promises that constrained writing keeps, whatever model writes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.errors import NotationError

UNITS = (Fraction(1, 4), Fraction(1, 8), Fraction(1, 16))
MAX_BARS = 256
#: A tenth, in semitones: the widest leap that a voice takes well.
TENTH = 16


@dataclass(frozen=True, slots=True)
class SectionSpec:
    """One section to be written. Every promise is kept by construction; `None` means the usual amount for the bar count."""

    key: Key
    meter: Meter
    bars: int
    unit: Fraction = Fraction(1, 8)
    """Unit length as in `L:`, a fraction of a whole note."""
    label: str = "A"
    chords: bool = False
    """Whether chord symbols may be written; the first note then carries one."""
    chord_symbols: tuple[str, ...] = ()
    """The only chord symbols to be used; empty allows every canonical one."""
    final_chord: str = ""
    """The one chord symbol of the last bar, on its first note; "" leaves it open. Only with `chords`."""
    max_chords_per_bar: int = 4
    low_pitch: int = 57
    """Lowest MIDI pitch."""
    high_pitch: int = 84
    """Highest MIDI pitch, at least an octave above the lowest."""
    chromatic: bool = True
    """Whether notes outside the key may be written; in minor keys the raised sixth and seventh belong to it."""
    previous_pitch: int | None = None
    """Pitch before the first note, from which the first leap counts."""
    max_leap: int = TENTH
    """Widest step between neighbouring notes, in semitones, at least an octave."""
    min_onsets: int | None = None
    """Fewest notes (tied notes count once): 12 in 8 bars."""
    min_pitches: int | None = None
    """Fewest different pitches: 5 in 8 bars."""
    min_distinct_bars: int | None = None
    """Fewest different bars: 3 in 8 bars."""
    max_rest_share: Fraction = Fraction(1, 4)
    """Largest part of the time that may be rests."""
    closes: bool = False
    """Whether the last note is the tonic."""
    allow_spaces: bool = False
    """Whether single spaces may stand between elements, for vocabularies whose pieces begin with one."""
    opening: str = ""
    """Composer text that the section begins with (a motif, whole bars): it stands in the prompt, writing goes on after it."""

    def __post_init__(self) -> None:
        if not 1 <= self.bars <= MAX_BARS:
            raise NotationError(f"A section of {self.bars} bars cannot be written.", hint=f"Ask for 1 to {MAX_BARS}.")
        if self.unit not in UNITS:
            raise NotationError(f"The unit length {self.unit} is not offered.", hint="Use 1/4, 1/8 or 1/16.")
        if self.bar_grains.denominator != 1 or not 2 <= self.bar_grains <= 192:
            raise NotationError(f"Bars of {self.meter} cannot be written in units of {self.unit}.", hint="Use another unit.")
        if not 0 <= self.low_pitch <= self.high_pitch - 12 <= 115:
            raise NotationError("The melody needs a range of at least an octave.", hint="Lower the lowest or raise the highest.")
        if not 12 <= self.max_leap <= 127:
            raise NotationError(f"A widest leap of {self.max_leap} semitones leaves no way on.", hint="Allow at least an octave.")

    @property
    def bar_grains(self) -> Fraction:
        """Length of a bar in grains (quarters of the unit length)."""
        return self.meter.bar_ql / self.unit

    @property
    def pitch_classes(self) -> frozenset[int]:
        """Pitch classes that may be written."""
        if self.chromatic:
            return frozenset(range(12))
        raised = {(self.key.tonic_pc + 9) % 12, (self.key.tonic_pc + 11) % 12} if self.key.mode == "minor" else set()
        return frozenset(self.key.scale_pcs) | raised

    @property
    def onsets(self) -> int:
        """Fewest notes, resolved."""
        return _scaled(self.min_onsets, math.ceil(12 * self.bars / 8))

    @property
    def pitches(self) -> int:
        """Fewest different pitches, resolved."""
        return _scaled(self.min_pitches, min(5, 2 + self.bars // 2, max(2, 2 * (self.bars - self.closes))))

    @property
    def distinct_bars(self) -> int:
        """Fewest different bars, resolved."""
        most = self.bars - 1 if self.closes and self.bars > 1 else self.bars
        return min(most, _scaled(self.min_distinct_bars, min(6, math.ceil(3 * self.bars / 8))))

    @property
    def rest_grains(self) -> int:
        """Most time that may be rests, in grains."""
        return math.floor(self.bar_grains * self.bars * self.max_rest_share)


def _scaled(asked: int | None, usual: int) -> int:
    return usual if asked is None else max(0, asked)


def default_unit(meter: Meter) -> Fraction:
    """The unit length that suits a metre: 1/8, or 1/16 where the bar is written in sixteenths."""
    return Fraction(1, 16) if meter.denominator >= 16 else Fraction(1, 8)
