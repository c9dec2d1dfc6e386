"""What is known of a sound: the facts that a caption may say, and nothing else. Plain numbers, so that anybody can check them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from llm_music_gen.describing.affect import NEUTRAL_N5_SONE, Affect, estimate
from llm_music_gen.describing.hearing import Hearing
from llm_music_gen.describing.tones import Beat, Tone

#: An event is named from this confidence on, a scene as well.
EVENT_THRESHOLD, SCENE_THRESHOLD = 0.5, 0.5
_LOW_HZ = 150.0


@dataclass(frozen=True, slots=True)
class Event:
    """A kind of sound that is heard."""

    label: str
    """One of SoundSCaper's 15."""
    confidence: float
    share: float
    """In how much of the sound, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Soundscape:
    """What is heard, and where that may be."""

    probabilities: Mapping[str, float]
    """Of every label over the whole sound."""
    events: tuple[Event, ...]
    """Those over their threshold, the surest first."""
    scenes: Mapping[str, float]
    spans: tuple[tuple[str, float, float, float], ...] = ()
    """(label, start in seconds, end, confidence)."""

    @property
    def scene(self) -> str | None:
        """The scene, where it is sure enough: public_square, park or street_traffic."""
        name = max(self.scenes, key=lambda one: self.scenes[one], default=None)
        return name if name is not None and self.scenes[name] >= SCENE_THRESHOLD else None


@dataclass(frozen=True, slots=True)
class OwnSong:
    """What the recipe of one of the studio's own songs says. Exact, not measured."""

    title: str
    styles: tuple[str, ...]
    mood: tuple[str, ...]
    key: str
    """As people say it: D minor."""
    tempo_bpm: float
    meter: str
    instruments: tuple[str, ...]
    form: tuple[str, ...]
    """Roles of the sections in order: intro, verse, chorus."""
    bars: int
    a4_hz: float
    tonic_hz: float | None
    layers: tuple[str, ...] = ()
    """What lies under the music: "binaural beat of 10 Hz on 200 Hz"."""
    chapters: int = 0
    """Of long tracks."""
    music: bool = True
    """False where only layers sound."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is known. None where there is no such number: the loudness of silence, the key of noise."""

    file: str
    length_s: float
    sample_rate_hz: int
    channels: int
    lufs: float | None
    lra_lu: float | None
    true_peak_dbtp: float | None
    calibration_db: float
    laeq_db: float
    level_range_db: float
    """L10 - L90."""
    n5_sone: float
    n50_sone: float
    sharpness_acum: float
    roughness_asper: float
    onsets_per_s: float
    centroid_hz: float | None
    tilt_db_per_octave: float | None
    low_percent: float | None
    """Share of power under 150 Hz."""
    correlation: float | None
    """None for anything but two channels."""
    clipping: int
    longest_silence_s: float
    tones: tuple[Tone, ...] = ()
    beat: Beat | None = None
    tempo_bpm: float | None = None
    key: str | None = None
    soundscape: Soundscape | None = None
    own: OwnSong | None = None
    affect: Affect | None = None
    signal: Mapping[str, Any] = field(default_factory=dict)
    """Measured, under the names of `analyze`."""
    loudness: Mapping[str, Any] = field(default_factory=dict)
    """Measured for the calibration: sone, acum, asper, dB(A)."""

    @property
    def events(self) -> tuple[Event, ...]:
        """The events over their threshold."""
        return self.soundscape.events if self.soundscape is not None else ()

    def as_json(self) -> dict[str, Any]:
        """As `describe --json` prints it."""
        scape, own = self.soundscape, self.own
        return {
            "file": self.file,
            "signal": dict(self.signal),
            "loudness": dict(self.loudness),
            "spectrum": {
                "centroid_hz": _rounded(self.centroid_hz, 1), "tilt_db_per_octave": _rounded(self.tilt_db_per_octave, 2),
                "low_percent": _rounded(self.low_percent, 1),
            },
            "tones": [tone_json(tone) for tone in self.tones],
            "beat": None if self.beat is None else beat_json(self.beat),
            "tempo_bpm": _rounded(self.tempo_bpm, 1),
            "key": self.key,
            "events": None if scape is None else [
                {"label": event.label, "confidence": round(event.confidence, 3), "share": round(event.share, 3)}
                for event in scape.events
            ],
            "event_probabilities": None if scape is None else {k: round(v, 3) for k, v in scape.probabilities.items()},
            "spans": None if scape is None else [
                {"label": label, "start_s": round(start, 2), "end_s": round(end, 2), "confidence": round(sure, 3)}
                for label, start, end, sure in scape.spans
            ],
            "scene": None if scape is None else {"name": scape.scene, **{k: round(v, 3) for k, v in scape.scenes.items()}},
            "affect": None if self.affect is None else self.affect.as_json(),
            "recipe": None if own is None else {name: getattr(own, name) for name in own.__slots__},
        }  # fmt: skip


def facts_from(
    file: str,
    signal: Mapping[str, Any],
    heard: Hearing,
    *,
    soundscape: Soundscape | None = None,
    tempo_bpm: float | None = None,
    key: str | None = None,
    own: OwnSong | None = None,
) -> Facts:
    """Facts of what was measured: `signal` by the names of `analyze`, `heard` by this room."""
    centroid, tilt, low = _shape(signal["spectrum"]["centres_hz"], signal["spectrum"]["levels_db"])
    stereo = signal["stereo"]
    facts = Facts(
        file=file,
        length_s=signal["duration"],
        sample_rate_hz=signal["sample_rate"],
        channels=signal["channels"],
        lufs=signal["lufs"],
        lra_lu=signal["lra"],
        true_peak_dbtp=signal["true_peak"],
        calibration_db=heard.calibration_db,
        laeq_db=heard.levels.laeq_db,
        level_range_db=heard.levels.range_db,
        n5_sone=heard.zwicker.percentile_sone(5),
        n50_sone=heard.zwicker.percentile_sone(50),
        sharpness_acum=heard.sharpness_acum,
        roughness_asper=heard.roughness_asper,
        onsets_per_s=heard.onsets_per_s,
        centroid_hz=centroid,
        tilt_db_per_octave=tilt,
        low_percent=low,
        correlation=None if stereo is None else stereo["correlation"],
        clipping=signal["clipping"],
        longest_silence_s=signal["silence"]["longest_s"],
        tones=heard.tones,
        beat=heard.beat,
        tempo_bpm=tempo_bpm,
        key=key,
        soundscape=soundscape,
        own=own,
        signal=signal,
        loudness=heard.loudness_json(),
    )
    return replace(facts, affect=affect_of(facts))


def affect_of(facts: Facts) -> Affect | None:
    """The estimate from the facts; none for silence, which nobody can rate.

    How loud a song is played is its listener's choice, so the level of the studio's own songs does not count.
    """
    if facts.lufs is None:
        return None
    own = facts.own is not None
    composed = {"Music": 1.0} if facts.own is not None and facts.own.music else {}
    return estimate(
        n5_sone=NEUTRAL_N5_SONE if own else facts.n5_sone,
        sharpness_acum=facts.sharpness_acum,
        roughness_asper=0.0 if own else facts.roughness_asper,
        range_db=facts.level_range_db,
        onsets_per_s=facts.onsets_per_s,
        events={event.label: event.confidence for event in facts.events} or composed,
    )


def soundscape_of(
    probabilities: Mapping[str, float],
    scenes: Mapping[str, float],
    spans: Sequence[tuple[str, float, float, float]],
    length_s: float,
    thresholds: Mapping[str, float] | None = None,
) -> Soundscape:
    """What a model of events heard, with the labels that are sure enough."""
    limits = thresholds or {}
    events = [
        Event(label, sure, _covered([(start, end) for name, start, end, _ in spans if name == label], length_s))
        for label, sure in probabilities.items()
        if sure >= limits.get(label, EVENT_THRESHOLD)
    ]
    return Soundscape(probabilities, tuple(sorted(events, key=lambda one: -one.confidence)), scenes, tuple(spans))


def tone_json(tone: Tone) -> dict[str, Any]:
    """As `tonal_peaks` of `analyze` prints it."""
    out = {"hz": round(tone.frequency_hz, 3), "level_dbfs": round(tone.level_dbfs, 1), "share": round(tone.share, 3)}
    moved = {"from_hz": round(tone.lowest_hz, 2), "to_hz": round(tone.highest_hz, 2)} if tone.glides else {}
    return {**out, "channels": tone.channels, "stands": tone.stands, **moved}


def beat_json(beat: Beat) -> dict[str, Any]:
    """As `binaural_beat` of `analyze` prints it."""
    moved = {"from_hz": round(beat.lowest_hz, 2), "to_hz": round(beat.highest_hz, 2)} if beat.glides else {}
    return {"hz": round(beat.beat_hz, 3), "carrier_hz": round(beat.carrier_hz, 2), "share": round(beat.share, 3), **moved}


def _shape(centres_hz: Sequence[float], levels_db: Sequence[float | None]) -> tuple[float | None, float | None, float | None]:
    """Centre of gravity of the third-octaves in Hz, slope of the power density from 100 Hz to 10 kHz, share under 150 Hz."""
    bands = [(hz, level) for hz, level in zip(centres_hz, levels_db, strict=True) if level is not None and math.isfinite(level)]
    if not bands:
        return None, None, None
    powers = [(hz, 10 ** (level / 10)) for hz, level in bands]
    total = sum(power for _, power in powers)
    centroid = sum(hz * power for hz, power in powers) / total
    low = 100 * sum(power for hz, power in powers if hz < _LOW_HZ) / total
    inner = [(math.log2(hz), level - 10 * math.log10(hz)) for hz, level in bands if 95 <= hz <= 10_500]
    if len(inner) < 3:
        return centroid, None, low
    mean_x, mean_y = (sum(values) / len(inner) for values in zip(*inner, strict=True))
    slope = sum((x - mean_x) * (y - mean_y) for x, y in inner) / sum((x - mean_x) ** 2 for x, _ in inner)
    return centroid, slope, low


def _covered(spans: Sequence[tuple[float, float]], length_s: float) -> float:
    """Share of the sound in any of the spans."""
    covered, reached = 0.0, 0.0
    for start, end in sorted(spans):
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return min(1.0, covered / length_s) if length_s > 0 else 0.0


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
