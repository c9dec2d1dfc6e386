"""Scores. Time is in quarter lengths (`_ql`, exact fractions as written; floats once played); never ticks, seconds or frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter


@dataclass(frozen=True, slots=True)
class Note:
    """One sounding note of a written melody; ties are already joined."""

    onset_ql: Fraction
    """From the start of its section."""
    duration_ql: Fraction
    pitch: int
    """MIDI pitch, 60 = middle C."""


@dataclass(frozen=True, slots=True)
class ChordSymbol:
    """A chord symbol above the melody; it holds until the next one."""

    onset_ql: Fraction
    """From the start of its section."""
    root_pc: int
    """Pitch class of the root, C = 0."""
    quality: str
    """As in chord symbols: "", m, 7, m7, maj7, dim, m7b5, dim7, aug, sus4, sus2, 6, m6, 9, m9, maj9, 5 ..."""
    bass_pc: int | None = None
    """Pitch class of a slash bass, or None."""


@dataclass(frozen=True, slots=True)
class LeadSection:
    """One written section: a melody with chord symbols, whole bars long."""

    label: str
    bars: int
    notes: tuple[Note, ...]
    chords: tuple[ChordSymbol, ...]


@dataclass(frozen=True, slots=True)
class LeadSheet:
    """The tune as written: one entry per distinct section label."""

    title: str
    key: Key
    meter: Meter
    tempo_bpm: float
    sections: tuple[LeadSection, ...]
    order: tuple[str, ...] = ()
    """Labels in playing order; empty means each section once."""

    def section(self, label: str) -> LeadSection:
        """The section with a label. Raises KeyError."""
        for section in self.sections:
            if section.label == label:
                return section
        raise KeyError(label)


@dataclass(frozen=True, slots=True)
class PlayedNote:
    """A note as it is to be performed: timing and loudness already human or machine."""

    onset_ql: float
    """From the start of the song."""
    duration_ql: float
    pitch: int
    velocity: int
    """1 to 127."""


@dataclass(frozen=True, slots=True)
class Part:
    """One instrument's performance through the whole song."""

    name: str
    """For people and the MIDI track: "Bass", "Electric piano"."""
    role: str
    """melody, counter, chords, pad, arp, bass, drums, percussion, fx."""
    program: int
    """General MIDI program, 0 to 127; ignored for drums."""
    notes: tuple[PlayedNote, ...]
    bank: int = 0
    is_drums: bool = False
    voice: str = ""
    """Name of one of the studio's own synth voices, or "" for the soundfont."""
    gain_db: float = 0.0
    pan: float = 0.0
    """-1 (left) to 1 (right)."""
    reverb_send: float = 0.2
    """0 to 1."""
    chorus_send: float = 0.0
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Where a section of the form begins."""

    onset_ql: float
    name: str


System = Literal["equal", "just"]


@dataclass(frozen=True, slots=True)
class Intonation:
    """How the twelve pitch classes lie above the tonic, and whether instruments keep to it exactly."""

    system: System = "equal"
    """equal: twelve equal steps; just: small whole ratios above the tonic, which itself stays where `a4_hz` puts it."""
    tonic_pc: int = 0
    """Pitch class from which just ratios are counted, C = 0."""
    exact: bool = False
    """Whether samples of soundfonts are corrected by their own error; just intonation always is."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The whole song as a band will play it."""

    title: str
    key: Key
    meter: Meter
    tempo_bpm: float
    """Constant through the song."""
    parts: tuple[Part, ...]
    length_frames: int
    """Exact length of the audio, tail included."""
    a4_hz: float = 440.0
    """Reference pitch."""
    markers: tuple[Marker, ...] = ()
    mix: dict[str, float] = field(default_factory=dict)
    """Named mix settings of the style: room_size, reverb_gain_db, tilt_db, ..."""
    intonation: Intonation = Intonation()
    """The system, and whether frequencies are promised."""
    levels: tuple[tuple[float, float], ...] = ()
    """Loud and soft of the whole band: (onset in quarter notes, gain in dB), joined by straight lines; none is 0 dB."""

    @property
    def quarter_bpm(self) -> float:
        """Quarter notes a minute."""
        return self.meter.quarter_bpm(self.tempo_bpm)
