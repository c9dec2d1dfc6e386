"""What a style is: everything that planner, arranger and mixer need to know about it, as one frozen, checked record.

A sheet (`sheets/*.toml`) is this record written down. Ranges are checked here, so a musician's slip is refused with a sentence.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from llm_music_gen.domain.key import MODES, Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.errors import NotationError, StyleError
from llm_music_gen.styles.grid import GRIDS, BassHit, DrumRow, SectionTemplate, parse_bass, parse_comp, parse_drum_row, parse_form
from llm_music_gen.styles.roman import Numeral, parse_progression
from llm_music_gen.styles.sounds import Instrument, instrument_named

SCHEMA = 1
ROLES = ("melody", "counter", "chords", "pad", "arp", "bass", "sub", "drums", "fx")
Role = Literal["melody", "counter", "chords", "pad", "arp", "bass", "sub", "drums", "fx"]
Family = Literal["electronic", "band", "jazz", "acoustic", "classical", "ambient"]
ChordLevel = Literal["power", "triads", "sus", "sevenths", "ninths"]
Scale = Literal["key", "major pentatonic", "minor pentatonic", "pentatonic", "blues", "harmonic minor", "chord"]
GridName = Literal["g16", "g32", "g32e", "g12t", "g12w", "g12j"]
Share = Annotated[float, Field(ge=0, le=1)]
Pitch = Annotated[int, Field(ge=12, le=120)]
Compass = tuple[Pitch, Pitch]


def _told(error: StyleError | NotationError) -> ValueError:
    return ValueError(str(error))


def _entries(value: Any) -> tuple[Any, ...]:
    """What stands in a list; pydantic takes only a ValueError for the sheet's own fault."""
    if not isinstance(value, list | tuple):
        raise ValueError("it must be a list")
    return tuple(value)


def _drums(value: Any) -> Any:
    try:
        return tuple(row if isinstance(row, DrumRow) else parse_drum_row(str(row)) for row in _entries(value))
    except StyleError as error:
        raise _told(error) from error


def _basses(value: Any) -> Any:
    try:
        return tuple(parse_bass(line) if isinstance(line, str) else line for line in _entries(value))
    except StyleError as error:
        raise _told(error) from error


def _comps(value: Any) -> Any:
    try:
        return tuple(parse_comp(str(line)) for line in _entries(value))
    except StyleError as error:
        raise _told(error) from error


def _forms(value: Any) -> Any:
    try:
        return tuple(parse_form(line) if isinstance(line, str) else line for line in _entries(value))
    except StyleError as error:
        raise _told(error) from error


def _sounds(value: Any) -> Any:
    try:
        names = [value] if isinstance(value, str) else _entries(value)
        return tuple(name if isinstance(name, Instrument) else instrument_named(str(name)) for name in names)
    except StyleError as error:
        raise _told(error) from error


#: In a sheet these stand as texts in the notation of `grid`.
_TEXTS = WithJsonSchema({"type": "array", "items": {"type": "string"}})
Beat = Annotated[tuple[DrumRow, ...], BeforeValidator(_drums), _TEXTS]
BassLines = Annotated[tuple[tuple[BassHit, ...], ...], BeforeValidator(_basses), _TEXTS]
Patterns = Annotated[tuple[str, ...], BeforeValidator(_comps), _TEXTS]
Forms = Annotated[tuple[tuple[SectionTemplate, ...], ...], BeforeValidator(_forms), _TEXTS]
Sounds = Annotated[tuple[Instrument, ...], BeforeValidator(_sounds), _TEXTS]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)


class Groove(_Record):
    """What the drums play; empty grooves are a style without drums."""

    grid: GridName = "g16"
    a: Beat = ()
    """The plain groove."""
    b: Beat = ()
    """The fuller one."""
    fills: tuple[Beat, ...] = ()
    """Last bar before a change."""
    kit: int = Field(default=0, ge=0, le=127)
    """Program of the kit: 0 standard, 8 room, 16 power, 24 electronic, 25 analogue (808), 32 jazz, 40 brush, 48 orchestra."""

    @model_validator(mode="after")
    def _rows_fit(self) -> Groove:
        for row in (*self.a, *self.b, *(row for fill in self.fills for row in fill)):
            steps = GRIDS[self.grid][0]
            if len(row.levels) not in (steps, steps // 2, 2 * steps):
                raise ValueError(f"a row of {len(row.levels)} steps does not fit grid {self.grid} with {steps}")
        return self


class Bass(_Record):
    """What the bass plays."""

    grid: GridName | None = None
    """Steps of the patterns; left out = those of the drums."""
    patterns: BassLines = ()
    compass: Compass = (28, 48)
    walking: bool = False
    """Four to the bar through the chord, as in jazz."""
    gate: Share = 0.9


class Comp(_Record):
    """What accompanies: chord rhythms, arpeggios, voicings."""

    grid: GridName | None = None
    """Steps of the patterns; left out = those of the drums."""
    chords: Patterns = ()
    """Rhythms of the chord instrument: x hit, - held."""
    arpeggios: Patterns = ()
    """Digits are voices from the bottom."""
    compass: Compass = (50, 72)
    voices: int = Field(default=4, ge=2, le=5)
    voicings: tuple[Literal["close", "drop2", "spread", "open5", "shell", "rootless", "quartal"], ...] = ("close",)
    gate: Share = 0.8
    strum_ms: float = Field(default=0, ge=0, le=80)
    """Time from the lowest to the highest note of a chord."""


class Harmony(_Record):
    """How chords are treated."""

    level: ChordLevel = "triads"
    """How rich chords are made."""
    chords_per_bar: float = Field(default=1, gt=0, le=4)
    """More changes than this are thinned out."""
    pedal: Share = 0
    """How much of the song the bass stays on the tonic."""
    strict: Share = 0.3
    """How much classical voice leading counts."""
    progressions: tuple[str, ...] = ()
    """Roman numerals, bars split by |, for tunes that come without chords."""


class Lead(_Record):
    """What becomes of the tune."""

    notes_per_bar: tuple[float, float] = (3, 6)
    compass: Compass = (62, 81)
    augment: Literal[1, 2, 4] = 1
    """A bar of the tune takes so many bars."""
    reduce: int = Field(default=0, ge=0, le=3)
    """0 every note, 1 without the unimportant, 2 one a beat, 3 one or two a bar."""
    cells: Patterns = ()
    """Onset grids into which the rhythm is recast; none leaves it as written."""
    recast: Share = 0
    """Share of bars that are recast."""
    rest_share: Share = 0.2
    snap: Scale = "key"
    anticipate: Share = 0
    """How often a strong note comes early."""
    gate: Share = 0.92


class Form(_Record):
    """How songs are built."""

    templates: Forms
    layers: dict[Role, Share] = Field(default_factory=dict)
    """Energy from which a role takes part."""
    silent: dict[Literal["intro", "verse", "build", "chorus", "drop", "break", "bridge", "solo", "outro"], tuple[Role, ...]] = (
        Field(default_factory=dict)
    )
    """Roles that never play in sections of a kind."""


class Humanize(_Record):
    """How far from the grid people play. All zero is a machine."""

    jitter_ms: float = Field(default=6, ge=0, le=150)
    """Standard deviation of onsets."""
    velocity: float = Field(default=7, ge=0, le=20)
    """Standard deviation of velocity."""
    offset_ms: dict[Role, float] = Field(default_factory=dict)
    """Later (+) or earlier (-) than the grid, by role."""
    backbeat_ms: float = Field(default=0, ge=-30, le=30)
    """How late the snare is."""


class Mix(_Record):
    """Levels, places, rooms and cuts."""

    levels_db: dict[Role, float] = Field(default_factory=dict)
    """Level by role beside the loudest."""
    pan: dict[Role, Annotated[float, Field(ge=-1, le=1)]] = Field(default_factory=dict)
    reverb: dict[Role, Share] = Field(default_factory=dict)
    """Send into the room by role."""
    chorus: dict[Role, Share] = Field(default_factory=dict)
    room_size: Share = 0.5
    damping: Share = 0.5
    reverb_gain_db: float = Field(default=-3, ge=-40, le=6)
    delay_ql: float = Field(default=0.75, gt=0, le=4)
    delay_feedback: float = Field(default=0.3, ge=0, le=0.8)
    delay_gain_db: float = Field(default=-60, ge=-60, le=0)
    sidechain_db: float = Field(default=0, ge=0, le=12)
    sidechain_release_s: float = Field(default=0.18, gt=0, le=1)
    tilt_db: float = Field(default=0, ge=-12, le=12)
    glue: Share = 0.3
    highpass_hz: dict[Role, float] = Field(default_factory=dict)
    lowpass_hz: dict[Role, float] = Field(default_factory=dict)

    def as_settings(self) -> dict[str, float]:
        """What the mixer reads beside the parts' own settings: room_size, tilt_db, melody_highpass_hz, ..."""
        flat = (
            "room_size", "damping", "reverb_gain_db", "delay_ql", "delay_feedback", "delay_gain_db", "sidechain_db",
            "sidechain_release_s", "tilt_db", "glue",
        )  # fmt: skip
        settings = {name: float(getattr(self, name)) for name in flat}
        settings |= {f"{role}_highpass_hz": hz for role, hz in self.highpass_hz.items()}
        return settings | {f"{role}_lowpass_hz": hz for role, hz in self.lowpass_hz.items()}


class Spectrum(_Record):
    """How finished songs of the style measure."""

    tilt_db_per_octave: float = -5
    """Slope of the long-term spectrum, 100 Hz to 10 kHz."""
    low_percent: float = Field(default=40, ge=0, le=100)
    """Share of power below 150 Hz."""
    peak_to_loudness_db: tuple[float, float] = (9, 14)
    loudness_range_lu: tuple[float, float] = (3, 9)


class Style(_Record):
    """A style of music. `load_styles` reads it from a sheet, `blend` mixes several."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    name: str = Field(min_length=1, max_length=40)
    aliases: tuple[str, ...] = ()
    """Other names that people use."""
    words: tuple[str, ...] = ()
    """What a listener recognises, in words."""
    family: Family = "band"
    pulse: bool = True
    """Whether a beat can be heard."""
    tempo_min_bpm: float = Field(ge=20, le=400)
    tempo_max_bpm: float = Field(ge=20, le=400)
    tempo_default_bpm: float = Field(ge=20, le=400)
    half_time: bool = False
    """Whether it is felt at half the tempo."""
    meters: dict[str, float] = Field(default_factory=lambda: {"4/4": 1.0})
    """Metre -> weight; the first is the most typical."""
    modes: dict[str, float] = Field(default_factory=lambda: {"major": 1.0, "minor": 1.0})
    """Mode -> weight."""
    tonics: tuple[str, ...] = ()
    """Tonics that players like; empty = any."""
    density: Share = 0.5
    """How many notes the tune has."""
    swing_8: float = Field(default=50, ge=50, le=75)
    """Place of the off-beat eighth in its pair, in percent; 50 is straight."""
    swing_16: float = Field(default=50, ge=50, le=75)
    grooves: Groove = Groove()
    bass: Bass = Bass()
    comp: Comp = Comp()
    harmony: Harmony = Harmony()
    lead: Lead = Lead()
    instruments: dict[Role, Sounds]
    """Role -> sounds to choose from, the most typical first."""
    form: Form
    humanize: Humanize = Humanize()
    mix: Mix = Mix()
    spectrum: Spectrum = Spectrum()
    notes: tuple[str, ...] = ()
    """How a blend came about, in sentences."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Style:
        if not self.tempo_min_bpm <= self.tempo_default_bpm <= self.tempo_max_bpm:
            raise ValueError("tempo_default_bpm must lie between tempo_min_bpm and tempo_max_bpm")
        for table, names in (("modes", self.modes), ("meters", self.meters)):
            if not names or any(weight < 0 for weight in names.values()) or sum(names.values()) <= 0:
                raise ValueError(f"{table} needs at least one entry with a positive weight")
        if unknown := [mode for mode in self.modes if mode not in MODES]:
            raise ValueError(f"{unknown[0]!r} is not a mode; modes are {', '.join(MODES)}")
        try:
            for meter in self.meters:
                Meter.parse(meter)
            for tonic in self.tonics:
                Key.parse(tonic)
            for progression in self.harmony.progressions:
                parse_progression(progression)
        except (NotationError, StyleError) as error:
            raise _told(error) from error
        for low, high in (self.bass.compass, self.comp.compass, self.lead.compass):
            if high - low < 11:
                raise ValueError("a compass must span at least an octave")
        if missing := [role for role in ("melody", "chords", "bass") if not self.instruments.get(role)]:
            raise ValueError(f"instruments needs {missing[0]}")
        return self

    @property
    def progressions(self) -> tuple[tuple[tuple[Numeral, ...], ...], ...]:
        """The style's progressions, read: progression -> bar -> chords."""
        return tuple(parse_progression(text) for text in self.harmony.progressions)

    @property
    def has_drums(self) -> bool:
        """Whether drums belong to the style."""
        return bool(self.grooves.a)

    def bent(
        self, *, tempo: float = 1.0, density: float = 0.0, energy: float = 0.0, tilt_db: float = 0.0, reverb: float = 0.0,
        modes: tuple[str, ...] = (),
    ) -> Style:  # fmt: skip
        """The style as moods bend it: `tempo` is a factor, the rest is added; `modes` that the mood wants come first."""

        def within(value: float, low: float, high: float) -> float:
            return min(high, max(low, value))

        update: dict[str, Any] = {
            "tempo_min_bpm": within(self.tempo_min_bpm * tempo, 20, 400),
            "tempo_max_bpm": within(self.tempo_max_bpm * tempo, 20, 400),
            "tempo_default_bpm": within(self.tempo_default_bpm * tempo, 20, 400),
            "density": within(self.density + density, 0, 1),
            "mix": self.mix.model_copy(
                update={
                    "tilt_db": within(self.mix.tilt_db + tilt_db, -12, 12),
                    "reverb_gain_db": within(self.mix.reverb_gain_db + 10 * reverb, -40, 6),
                }
            ),
        }
        if energy:
            templates = tuple(
                tuple(SectionTemplate(part.role, part.label, part.bars, within(part.energy + energy, 0, 1)) for part in template)
                for template in self.form.templates
            )
            update["form"] = self.form.model_copy(update={"templates": templates})
        if modes:
            update["modes"] = {mode: 1.0 / (rank + 1) for rank, mode in enumerate(modes)}
        return self.model_copy(update=update)
