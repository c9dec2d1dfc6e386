"""Changes to a finished song, as data: what a request means, exactly, so that a recipe can keep it and it can be done again.

Bars are counted from 0; a range is (first, stop). Without one the whole song is meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Bars = tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class SetTempo:
    """Another tempo; every note keeps its place in its bar."""

    bpm: float
    op: Literal["tempo"] = "tempo"

    def __str__(self) -> str:
        return f"tempo {self.bpm:g} BPM"


@dataclass(frozen=True, slots=True)
class Transpose:
    """Everything but drums moved by the same interval."""

    semitones: int
    """-12 to 12."""
    key: str
    """The key that this leads to, as in `K:`."""
    bars: Bars = None
    op: Literal["transpose"] = "transpose"

    def __str__(self) -> str:
        return f"transpose {self.semitones:+d} semitones, to {self.key}{_where(self.bars)}"


@dataclass(frozen=True, slots=True)
class SetMode:
    """Major becomes minor or the opposite, on the same tonic."""

    mode: str
    """Of `domain.key.MODES`."""
    bars: Bars = None
    op: Literal["mode"] = "mode"

    def __str__(self) -> str:
        return f"{self.mode}{_where(self.bars)}"


@dataclass(frozen=True, slots=True)
class SetMeter:
    """3/4 for 4/4 or the opposite; bars and their strong beats stay, the band plays anew."""

    meter: str
    op: Literal["meter"] = "meter"

    def __str__(self) -> str:
        return f"metre {self.meter}"


@dataclass(frozen=True, slots=True)
class PlayOn:
    """A part on another instrument."""

    role: str
    instrument: str
    """As `styles.instrument_named` reads it."""
    bars: Bars = None
    op: Literal["instrument"] = "instrument"

    def __str__(self) -> str:
        return f"{self.role} on {self.instrument}{_where(self.bars)}"


@dataclass(frozen=True, slots=True)
class Silence:
    """Parts that do not play."""

    roles: tuple[str, ...]
    bars: Bars = None
    op: Literal["silence"] = "silence"

    def __str__(self) -> str:
        return f"no {', '.join(self.roles)}{_where(self.bars)}"


@dataclass(frozen=True, slots=True)
class AddPart:
    """A part that plays where it did not; what silenced it before no longer holds."""

    role: str
    instrument: str = ""
    """"" leaves it to the style."""
    bars: Bars = None
    """Of the song as it was made first: there the band plays."""
    op: Literal["add"] = "add"

    def __str__(self) -> str:
        return f"add {self.instrument or self.role}{f' as {self.role}' if self.instrument else ''}{_where(self.bars)}"


@dataclass(frozen=True, slots=True)
class SetSwing:
    """Where the off-beat eighth lies in its pair; 50 is straight, 66.7 a triplet."""

    percent: float
    op: Literal["swing"] = "swing"

    def __str__(self) -> str:
        return f"swing {self.percent:g} %"


@dataclass(frozen=True, slots=True)
class Dynamics:
    """Parts louder or softer than the others, or a section than the rest."""

    db: float
    roles: tuple[str, ...] = ()
    """None named: everyone."""
    bars: Bars = None
    op: Literal["dynamics"] = "dynamics"

    def __str__(self) -> str:
        return f"{', '.join(self.roles) or 'all'} {self.db:+g} dB{_where(self.bars)}"


@dataclass(frozen=True, slots=True)
class SetEnergy:
    """Calmer: softer, thinner, fewer and longer notes in the tune; bigger: the opposite."""

    steps: int
    """-3 to 3; each is about a quarter of the way from bare to full."""
    bars: Bars = None
    op: Literal["energy"] = "energy"

    def __str__(self) -> str:
        return f"energy {0.25 * self.steps:+.2f}{_where(self.bars)}"


@dataclass(frozen=True, slots=True)
class Repeat:
    """Bars heard again, right after themselves."""

    bars: tuple[int, int]
    times: int = 1
    """How often more."""
    op: Literal["repeat"] = "repeat"

    def __str__(self) -> str:
        return f"repeat{_where(self.bars)}, {self.times} more time{'s' if self.times > 1 else ''}"


@dataclass(frozen=True, slots=True)
class Cut:
    """Bars left out. The last bar of a song stays, so that it ends."""

    bars: tuple[int, int]
    op: Literal["cut"] = "cut"

    def __str__(self) -> str:
        return f"leave out{_where(self.bars)}"


@dataclass(frozen=True, slots=True)
class Restyle:
    """The band plays in another style."""

    styles: tuple[str, ...]
    """Names of style sheets."""
    sha256: str
    """Of the style as blended and bent; a sheet that was changed since is noticed by it."""
    bars: Bars = None
    """Of the song as it was made first."""
    op: Literal["style"] = "style"

    def __str__(self) -> str:
        return f"style {', '.join(self.styles)}{_where(self.bars)}"


@dataclass(frozen=True, slots=True)
class SetTitle:
    """Another name."""

    title: str
    op: Literal["title"] = "title"

    def __str__(self) -> str:
        return f'title "{self.title}"'


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A new tune for a section, written by a model."""

    bars: tuple[int, int]
    """Of the song as it was made first."""
    wish: str
    """What it shall be like: "livelier"."""
    label: str = ""
    """Of the new material; "" while it is not written."""
    text: str = ""
    """Composer text as the model wrote it, in the key and metre of the song as it was made first."""
    written_bars: int = 0
    model: str = ""
    op: Literal["rewrite"] = "rewrite"

    def __str__(self) -> str:
        return f"a new tune, {self.wish}{_where(self.bars)}" if self.wish else f"a new tune{_where(self.bars)}"


Operation = (
    SetTempo | Transpose | SetMode | SetMeter | PlayOn | Silence | AddPart | SetSwing | Dynamics | SetEnergy | Repeat | Cut
    | Restyle | SetTitle | Rewrite
)  # fmt: skip
#: What the band has to play again; the rest is done to what it played.
REPLAYED = (SetMeter, AddPart, Restyle, Rewrite)


def spoken_bars(bars: Bars) -> str:
    """For people, who count from 1: "bars 9-16"; "" for the whole song."""
    if bars is None:
        return ""
    return f"bar {bars[1]}" if bars[1] - bars[0] == 1 else f"bars {bars[0] + 1}-{bars[1]}"


def spoken(operations: Sequence[Operation]) -> str:
    """Operations in one line."""
    return "; ".join(str(operation) for operation in operations)


def _where(bars: Bars) -> str:
    return f" in {spoken_bars(bars)}" if bars else ""
