"""What a file was promised to be, what was measured, and what follows from it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from llm_music_gen.domain.key import Key
from llm_music_gen.errors import SoundError, StudioError
from llm_music_gen.sound.bed.schedule import Schedule

Verdict = Literal["pass", "fail", "not measurable", "not promised"]
Beats = Literal["binaural", "monaural", "isochronic"]
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class BeatPromise:
    """An entrainment layer that was promised."""

    kind: Beats
    carrier_hz: float
    beat_hz: Schedule
    start_s: float = 0.0
    end_s: float = math.inf
    tolerance_hz: float = 0.01


@dataclass(frozen=True, slots=True)
class Promises:
    """What a file was promised to be. What is None was not promised: it is measured all the same where that says something."""

    frames: int | None = None
    """Exact length at `sample_rate_hz`."""
    sample_rate_hz: int = 44_100
    tonic_hz: float | None = None
    """The frequency that the tonic has in some octave."""
    tonic_tolerance_cents: float = 0.1
    a4_hz: float = 440.0
    """Reference pitch of everything else: pitch classes are read with it."""
    beat: BeatPromise | None = None
    tempo_bpm: float | None = None
    key: Key | None = None
    lufs: float | None = None
    lufs_tolerance: float = 0.5
    true_peak_dbtp: float | None = None
    """Highest that is allowed."""
    longest_silence_s: float | None = None
    """Longest that is allowed."""
    varied: bool = False
    """Whether nothing may return literally: long tracks."""
    spoken: tuple[tuple[float, float], ...] = ()
    """(start, end) in seconds of what a voice says over the music: no note is measured there."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        fields["key"] = self.key.abc() if self.key else None
        if self.beat is not None:
            beat = {name: getattr(self.beat, name) for name in self.beat.__dataclass_fields__}
            beat["beat_hz"] = [list(point) for point in self.beat.beat_hz.points]
            beat["end_s"] = self.beat.end_s if math.isfinite(self.beat.end_s) else None
            fields["beat"] = beat
        if not self.spoken:
            del fields["spoken"]
        return fields

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Promises:
        """Read what `to_dict` wrote. Raises SoundError for anything else."""
        try:
            fields = dict(data)
            if fields.get("key") is not None:
                fields["key"] = Key.parse(str(fields["key"]))
            if fields.get("beat") is not None:
                beat = dict(fields["beat"])
                beat["beat_hz"] = Schedule(tuple((float(at), float(hz)) for at, hz in beat["beat_hz"]))
                beat["end_s"] = math.inf if beat.get("end_s") is None else float(beat["end_s"])
                fields["beat"] = BeatPromise(**beat)
            fields["spoken"] = tuple((float(start_s), float(end_s)) for start_s, end_s in fields.get("spoken", ()))
            return Promises(**fields)
        except (TypeError, ValueError, KeyError, StudioError) as error:
            raise SoundError("The promises in proof.json cannot be read.", hint="Remake the song.") from error


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was measured."""

    name: str
    measured: float | str | None
    target: float | str | None
    uncertainty: float | None
    unit: str
    verdict: Verdict
    note: str = ""

    def line(self) -> str:
        """As people read it."""
        value = "not found" if self.measured is None else _said(self.measured, self.unit)
        doubt = f" ± {self.uncertainty:.2g}" if self.uncertainty else ""
        wanted = f" (promised {_said(self.target, self.unit)})" if self.target is not None else ""
        note = f"; {self.note}" if self.note else ""
        return f"{self.name}: {value}{doubt}{wanted}: {self.verdict}{note}"


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything that was measured of one file."""

    file: str
    promises: Promises
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """What was promised and is not so."""
        return tuple(check for check in self.checks if check.verdict == "fail")

    @property
    def passes(self) -> bool:
        """Whether nothing failed. What cannot be measured neither passes nor fails."""
        return not self.failed

    def check(self, name: str) -> Check:
        """The check of a name. Raises KeyError."""
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(name)

    def line(self) -> str:
        """One readable line: the tonic where one was promised, then what counts for every song."""
        parts = [_short(check) for check in self.checks if check.name in _IN_LINE and check.measured is not None]
        if self.failed:
            return "Proof FAILED: " + "; ".join(check.line() for check in self.failed)
        unknown = [check.name for check in self.checks if check.verdict == "not measurable"]
        return "Proof passed: " + ", ".join(parts) + (f" (not measurable: {', '.join(unknown)})" if unknown else "")

    def to_json(self) -> str:
        """The contents of proof.json."""
        data = {
            "schema": SCHEMA,
            "file": self.file,
            "passes": self.passes,
            "promises": self.promises.to_dict(),
            "checks": [asdict(check) for check in self.checks],
        }
        return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


_IN_LINE = ("tonic", "tonic frequency", "beat", "duration", "loudness", "true peak")


def _short(check: Check) -> str:
    return _said(check.measured, check.unit) if check.name != "tonic" else f"tonic {_said(check.measured, check.unit)} off"


def _said(value: float | str | None, unit: str) -> str:
    if isinstance(value, float):
        text = f"{value:.4f}".rstrip("0").rstrip(".") if unit in ("Hz", "cents") else f"{value:.2f}"
        return f"{text} {unit}".strip()
    return f"{value} {unit}".strip()


def judged(
    name: str,
    measured: float,
    target: float,
    tolerance: float,
    unit: str,
    uncertainty: float = 0.0,
    note: str = "",
) -> Check:
    """A check of a value that has to be within `tolerance` of its target; where the doubt is larger, neither pass nor fail."""
    off = abs(measured - target)
    verdict: Verdict = "pass" if off <= tolerance else "fail"
    if uncertainty > tolerance and off - 2 * uncertainty <= tolerance:
        verdict = "not measurable"
        note = note or "the doubt is larger than what is allowed"
    return Check(name, _finite(measured), target, uncertainty, unit, verdict, note)


def bounded(name: str, measured: float, most: float | None, unit: str, uncertainty: float = 0.0, note: str = "") -> Check:
    """A check of a value that may not exceed `most`; without it a mere statement."""
    verdict: Verdict = "not promised" if most is None else "pass" if measured <= most + uncertainty else "fail"
    return Check(name, _finite(measured), most, uncertainty, unit, verdict, note)


def _finite(value: float) -> float | str:
    """JSON knows no infinity: silence has a loudness of minus infinity."""
    return float(value) if math.isfinite(value) else str(value)
