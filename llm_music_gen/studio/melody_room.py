"""Melodies written down: a recording of one voice goes in, ABC and MIDI come out. Joins the ear, the notation and MIDI."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_music_gen.arranging import write_midi
from llm_music_gen.arranging.key_finding import rank_keys
from llm_music_gen.describing.melody.bars import Barred, barred
from llm_music_gen.describing.melody.notes import Performance, performed
from llm_music_gen.describing.melody.pitch import following
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.progress import Work
from llm_music_gen.domain.score import LeadSection, LeadSheet
from llm_music_gen.errors import SoundError, StorageError, UsageError
from llm_music_gen.notation.abc_file import write_abc
from llm_music_gen.processing.files import opened
from llm_music_gen.studio.names import free_name
from llm_music_gen.studio.own_music import arrangement_of

SLOWEST_BPM, FASTEST_BPM = 20.0, 400.0
#: Under the first nothing is written, under the second it is said that the notes may be wrong.
_REFUSED, _DOUBTED = 0.3, 0.6
_FEWEST_NOTES = 2
#: How much more a key fits whose tonic ends the tune, or begins it: tunes come home.
_HOME, _START = 0.12, 0.03
_ONE_VOICE = "Give one voice that sings, hums or whistles, or one instrument that plays single notes."


@dataclass(frozen=True, slots=True)
class Told:
    """What the user says of a melody. None is found by listening."""

    bpm: float | None = None
    """Beats a minute."""
    key: Key | None = None
    meter: Meter | None = None

    @staticmethod
    def from_words(bpm: float | None = None, key: str = "", meter: str = "") -> Told:
        """From what was typed. Raises UsageError, NotationError."""
        if bpm is not None and not SLOWEST_BPM <= bpm <= FASTEST_BPM:
            raise UsageError(
                f"A tempo of {bpm:g} BPM cannot be counted.", hint=f"Give {SLOWEST_BPM:g} to {FASTEST_BPM:g} beats a minute."
            )
        return Told(bpm, Key.parse(key) if key.strip() else None, Meter.parse(meter) if meter.strip() else None)


@dataclass(frozen=True, slots=True)
class Melody:
    """A melody that was heard and how it is written."""

    path: Path
    """The recording."""
    performance: Performance
    """Every note as it was performed."""
    sheet: LeadSheet
    """The notes as written: one section of whole bars."""
    timing_error_s: float
    """How far the notes are from their written places on average, the beat following the player."""

    @property
    def abc(self) -> str:
        """As an ABC 2.1 file."""
        return write_abc(self.sheet, composer="Transcribed by Llm-Music-Gen")

    @property
    def is_sure(self) -> bool:
        """Whether the notes can be relied on."""
        return self.performance.confidence >= _DOUBTED

    def summary(self) -> str:
        """One line for people."""
        sheet, section = self.sheet, self.sheet.sections[0]
        doubt = "" if self.is_sure else " It is speech, more than one sound at a time, or unclear: check the notes."
        return (
            f"{len(section.notes)} notes in {section.bars} bars, {sheet.key}, {sheet.meter}, {sheet.tempo_bpm:g} BPM; "
            f"{_tuned(self.performance.tuning_cents)}.{doubt}"
        )

    def as_json(self) -> dict[str, Any]:
        """The form on every wire."""
        performance, sheet = self.performance, self.sheet
        return {
            "file": str(self.path),
            "key": sheet.key.abc(),
            "meter": str(sheet.meter),
            "bpm": sheet.tempo_bpm,
            "bars": sheet.sections[0].bars,
            "tuning_cents": round(performance.tuning_cents, 1),
            "timing_error_ms": round(1000 * self.timing_error_s, 1),
            "confidence": round(performance.confidence, 3),
            "sure": self.is_sure,
            "notes": [
                {"start_s": round(heard.start_s, 3), "end_s": round(heard.end_s, 3), "pitch": heard.pitch,
                 "cents": round(heard.cents, 1), "confidence": round(heard.confidence, 3),
                 "onset_ql": float(note.onset_ql), "duration_ql": float(note.duration_ql)}
                for heard, note in zip(performance.notes, sheet.sections[0].notes, strict=True)
            ],
            "abc": self.abc,
        }  # fmt: skip


def hear_melody(path: Path, told: Told = Told()) -> Work[Melody]:
    """The melody in a recording. Yields progress of the stage "melody".

    Raises SoundError where no single voice can be made out, NotationError where its rhythm cannot be written in the metre that
    was told, StorageError.
    """
    audio = opened(path).audio
    course = yield from following(
        audio.walk(), sample_rate_hz=audio.sample_rate_hz, frames=audio.frames, message=f"Listening to {path.name}"
    )
    performance = performed(course)
    if len(performance.notes) < _FEWEST_NOTES or performance.confidence < _REFUSED:
        raise SoundError(f"No melody of a single voice can be made out in {path.name}.", hint=_ONE_VOICE)
    bars = barred(performance.notes, bpm=told.bpm, meter=told.meter)
    sheet = LeadSheet(
        title=path.stem,
        key=told.key or _key_of(bars),
        meter=bars.meter,
        tempo_bpm=told.bpm if told.bpm is not None else float(round(bars.bpm)),
        sections=(LeadSection("A", bars.bars, bars.notes, ()),),
    )
    return Melody(path, performance, sheet, bars.error_s)


def write_melody(melody: Melody, out: Path | None = None, folder: Path | None = None) -> tuple[Path, Path]:
    """Write the ABC and the MIDI file: `out` and its neighbour, or else beside the recording (or in `folder`) under its name.

    Nothing is overwritten but what `out` names. Raises UsageError for an `out` that is no .abc file, StorageError.
    """
    if out is None:
        out = _free(folder or melody.path.parent, melody.path.stem)
    elif out.suffix.lower() != ".abc":
        raise UsageError(f"{out.name} is no name for ABC notation.", hint="End it with .abc; the MIDI file lies beside it.")
    midi = out.with_suffix(".mid")
    _put(out, melody.abc.encode("utf-8"))
    # Read back from the file, so that what is delivered is known to be understood.
    _put(midi, write_midi(arrangement_of(out, None)))
    return out, midi


def _key_of(bars: Barred) -> Key:
    """The key whose profile fits the lengths of the notes best, the last note and the first weighed."""
    weights = [0.0] * 12
    for note in bars.notes:
        weights[note.pitch % 12] += float(note.duration_ql)
    first, last = bars.notes[0].pitch % 12, bars.notes[-1].pitch % 12
    fits = [(fit + _HOME * (tonic == last) + _START * (tonic == first), tonic, minor) for fit, tonic, minor in rank_keys(weights)]
    _, tonic, minor = max(fits, key=lambda one: (one[0], not one[2]))
    return Key.from_pc(tonic, "minor" if minor else "major")


def _tuned(cents: float) -> str:
    if abs(cents) < 5:
        return "tuned to A4 = 440 Hz"
    return f"tuned {abs(cents):.0f} cents {'above' if cents > 0 else 'below'} A4 = 440 Hz"


def _free(folder: Path, stem: str) -> Path:
    """An .abc file in a folder that is not there yet, nor a MIDI file of its name. Raises StorageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken: Sequence[str] = [entry.stem for entry in folder.iterdir() if entry.suffix.lower() in (".abc", ".mid")]
    except OSError as error:
        raise StorageError(f"{folder} cannot be used ({error.strerror or error}).", hint="Name another file.") from error
    return folder / f"{free_name(stem, taken)}.abc"


def _put(path: Path, data: bytes) -> None:
    """Write a file in one move. Raises StorageError."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror or error}).", hint="Name another file.") from error
    finally:
        part.unlink(missing_ok=True)
