"""Describing as the studio offers it: files in, facts, a caption and pictures out. Joins what several rooms measure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.caption import caption
from llm_music_gen.describing.facts import Facts, Soundscape, beat_json, facts_from, tone_json
from llm_music_gen.describing.hearing import (
    DEFAULT_CALIBRATION_DB,
    HIGHEST_CALIBRATION_DB,
    LOWEST_CALIBRATION_DB,
    Hearing,
    hearing,
)
from llm_music_gen.describing.tones import ToneFinder
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import StudioError, UsageError
from llm_music_gen.evaluating import keys, tempo
from llm_music_gen.library.catalogue import Library
from llm_music_gen.paths import StudioPaths
from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.files import opened
from llm_music_gen.processing.measure import measuring
from llm_music_gen.settings import Settings
from llm_music_gen.studio.describing_words import Chat, chat_for, worded
from llm_music_gen.studio.event_ears import ears_for
from llm_music_gen.studio.own_songs import own_song

ASPECTS = ("scene", "events", "loudness", "affect", "iso12913", "caption")
METRICS = (
    "lufs", "lra", "true_peak", "duration", "clipping", "silence", "noise_floor", "snr", "key", "tempo", "tonal_peaks",
    "binaural_beat", "spectrum", "stereo",
)  # fmt: skip
#: Tempo and key are looked for in this much from the middle of a sound.
EXCERPT_S = 90.0
_SIGNAL = frozenset(METRICS) - {"key", "tempo", "tonal_peaks", "binaural_beat"}
_NO_EARS = "Events and scene are left out: no event model was asked."
#: Two estimators of tempo agree when they are no further apart.
_SAME_TEMPO = 0.03
#: Music has at least so many onsets a second.
_LEAST_ONSETS = 0.3
#: Where the stages of one file lie in the whole of its work.
_SHARES = {"measure": (0.0, 0.2), "listen": (0.2, 0.7), "events": (0.7, 1.0), "words": (1.0, 1.0)}


@dataclass(frozen=True, slots=True)
class Description:
    """What became known of a file."""

    path: Path
    facts: Facts
    caption: str
    heard: Hearing
    """What pictures are made of."""
    notes: tuple[str, ...] = ()
    """What was wrong with the file, and what was left out."""
    written_by: str = "studio"
    """Who worded the caption: studio, or a model's name."""

    def as_json(self, aspects: Sequence[str] = ()) -> dict[str, Any]:
        """As `describe --json` prints it; only `aspects` where some are given."""
        whole = self.facts.as_json()
        names = {"scene": ("scene",), "events": ("events", "event_probabilities", "spans"), "loudness": ("loudness",)}
        out: dict[str, Any] = {"file": str(self.path)}
        if not aspects:
            out |= {name: value for name, value in whole.items() if name != "file"}
        for aspect in aspects:
            out |= {name: whole[name] for name in names.get(aspect, ())}
        affect = whole["affect"]
        if "affect" in aspects:
            out["affect"] = affect
        if "iso12913" in aspects:
            wanted = ("note", "pleasantness", "eventfulness", "axis_band", "quadrant")
            out["iso12913"] = None if affect is None else {name: affect[name] for name in wanted}
        if not aspects or "caption" in aspects:
            out |= {"caption": self.caption, "caption_by": self.written_by}
        return {**out, "notes": list(self.notes)} if self.notes else out


@dataclass(frozen=True, slots=True)
class Undescribed:
    """A file that could not be described, and why."""

    path: Path
    reason: str

    def as_json(self) -> dict[str, Any]:
        """As `describe --json` prints it."""
        return {"file": str(self.path), "error": self.reason}


class Ears(Protocol):
    """Whoever hears kinds of sound and scenes."""

    def listening(self, blocks: Iterable[NDArray[np.float32]], sample_rate_hz: int, length_s: float) -> Work[Soundscape]:
        """What is heard in blocks of shape (frames, channels), with progress of the stage "events". Memory must not grow."""
        ...


@dataclass(frozen=True, slots=True)
class Describing:
    """How files are described."""

    calibration_db: float = DEFAULT_CALIBRATION_DB
    aspects: tuple[str, ...] = ()
    """Some of `ASPECTS`; empty means all."""
    library: Library | None = field(default=None, repr=False)
    """Where own songs that were copied out are looked for."""
    ears: Ears | None = field(default=None, repr=False)
    """Who hears events; without, they are left out."""
    deaf: str = _NO_EARS
    """Why nobody does."""
    chat: Chat | None = field(default=None, repr=False)
    """Who words captions; None is the studio itself."""
    trouble: str = ""
    """Why the chat model of the settings is not asked."""


def describing_with(
    paths: StudioPaths,
    settings: Settings,
    library: Library | None,
    aspects: Iterable[str] = (),
    *,
    calibration_db: float | None = None,
    model: str = "",
) -> Describing:
    """How this studio describes: its calibration, its library, and the chat model or server that its settings or `model` name.

    Raises UsageError for an unknown aspect or an absurd calibration, ModelError where `model` is not there or does not talk.
    """
    level = settings.calibration_db if calibration_db is None else calibration_db
    if not LOWEST_CALIBRATION_DB <= level <= HIGHEST_CALIBRATION_DB:
        raise UsageError(
            f"A full-scale sine cannot be {level:g} dB.",
            hint=f"Give a level from {LOWEST_CALIBRATION_DB:g} to {HIGHEST_CALIBRATION_DB:g} dB SPL; 94 is usual.",
        )
    chat, trouble = None, ""
    try:
        chat = chat_for(paths, settings, model)
    except StudioError as error:
        if model:
            raise
        trouble = f"{error} The words are the studio's own."  # a setting that no longer holds need not stop anybody
    ears, deaf = None, ""
    try:
        ears = ears_for(settings)
    except StudioError as error:
        deaf = f"Events and scene are left out: {error}"
    return Describing(level, checked_aspects(aspects), library, ears, deaf, chat, trouble)


def checked_aspects(names: Iterable[str]) -> tuple[str, ...]:
    """The aspects that were named. Raises UsageError for an unknown one."""
    return _checked(names, ASPECTS, "aspect")


def checked_metrics(names: Iterable[str]) -> tuple[str, ...]:
    """The metrics that were named. Raises UsageError for an unknown one."""
    return _checked(names, METRICS, "metric")


def describe_files(files: Sequence[Path], how: Describing) -> Work[list[Description | Undescribed]]:
    """Describe files one after the other; one that fails does not stop the next."""
    out: list[Description | Undescribed] = []
    for number, path in enumerate(files):
        try:
            described: Description | Undescribed = yield from _in_whole(describe_file(path, how), number, len(files))
        except StudioError as error:
            described = Undescribed(path, str(error))
        out.append(described)
    return out


def describe_file(path: Path, how: Describing) -> Work[Description]:
    """Facts and caption of one file. Raises SoundError, StorageError."""
    file = opened(path)
    audio = file.audio
    signal = (yield from measuring(audio, "measure", f"Measuring {path.name}")).as_json()
    heard = yield from hearing(
        audio.walk(),
        sample_rate_hz=audio.sample_rate_hz,
        channels=audio.channels,
        frames=audio.frames,
        calibration_db=how.calibration_db,
        message=f"Listening to {path.name}",
    )
    own = own_song(path, audio.length_s, how.library)
    soundscape: Soundscape | None = None
    if own is None and how.ears is not None:
        soundscape = yield from how.ears.listening(audio.walk(), audio.sample_rate_hz, audio.length_s)
    left_out = "" if own is not None or how.ears is not None else how.deaf
    bpm, key = _music(audio) if own is None and _may_be_music(soundscape, heard.onsets_per_s) else (None, None)
    facts = facts_from(path.name, signal, heard, soundscape=soundscape, tempo_bpm=bpm, key=str(key) if key else None, own=own)
    text, by, trouble = caption(facts), "studio", how.trouble
    if how.chat is not None and (not how.aspects or "caption" in how.aspects):
        yield Progress("words", 1.0, f"{how.chat.name} words the caption")
        text, by, trouble = worded(facts, how.chat)
    notes = (*file.notes, *(note for note in (left_out, trouble) if note))
    return Description(path, facts, text, heard, notes, by)


def analyze_file(path: Path, metrics: Sequence[str] = ()) -> Work[dict[str, Any]]:
    """What `analyze` measures, under its names; only `metrics` where some are given. Raises SoundError, StorageError."""
    wanted = set(metrics or METRICS)
    audio = opened(path).audio
    found: dict[str, Any] = {}
    if wanted & _SIGNAL:
        found = (yield from measuring(audio, "measure", f"Measuring {path.name}")).as_json()
    if wanted & {"tonal_peaks", "binaural_beat"}:
        finder, done = ToneFinder(audio.sample_rate_hz, audio.frames), 0
        for block in audio.walk():
            finder.push(block)
            done += len(block)
            yield Progress("listen", min(1.0, done / audio.frames), f"Looking for tones in {path.name}")
        beat = finder.beat()
        found["tonal_peaks"] = [tone_json(tone) for tone in (*finder.tones(), *finder.notes())]
        found["binaural_beat"] = None if beat is None else beat_json(beat)
    if wanted & {"tempo", "key"}:
        mono = excerpt(audio)
        bpm, sure = _tempo(mono, audio.sample_rate_hz)
        key, key_sure = _key(mono, audio.sample_rate_hz)
        found["tempo"] = None if bpm is None else round(bpm, 1)
        found["key"] = None if key is None else key.abc()
        doubts = [name for name, known in (("tempo", sure), ("key", key_sure)) if name in wanted and not known]
        found |= {"unsure": doubts} if doubts else {}
    return {name: value for name, value in found.items() if not metrics or name in wanted or name == "unsure"}


def excerpt(audio: Audio, length_s: float = EXCERPT_S) -> NDArray[np.float32]:
    """The middle of a sound, its channels averaged, shape (frames,)."""
    wanted = min(audio.frames, round(length_s * audio.sample_rate_hz))
    first = (audio.frames - wanted) // 2
    parts, at = [], 0
    for block in audio.walk():
        low, high = max(0, first - at), min(len(block), first + wanted - at)
        if low < high:
            parts.append(block[low:high].mean(axis=1, dtype=np.float32))
        at += len(block)
        if at >= first + wanted:
            break
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)


def _music(audio: Audio) -> tuple[float | None, Key | None]:
    """Tempo and key where two ways of finding them agree."""
    mono = excerpt(audio)
    bpm, sure = _tempo(mono, audio.sample_rate_hz)
    key, key_sure = _key(mono, audio.sample_rate_hz)
    return bpm if sure else None, key if key_sure else None


def _tempo(mono: NDArray[np.float32], sample_rate_hz: int) -> tuple[float | None, bool]:
    first = tempo.fourier_tempogram_bpm(mono, sample_rate_hz)
    second = tempo.interval_histogram_bpm(mono, sample_rate_hz)
    return first, first is not None and second is not None and abs(second / first - 1) <= _SAME_TEMPO


def _key(mono: NDArray[np.float32], sample_rate_hz: int) -> tuple[Key | None, bool]:
    first = keys.constant_q_key(mono, sample_rate_hz)
    second = keys.harmonic_profile_key(mono, sample_rate_hz)
    return second, first is not None and first == second


def _may_be_music(soundscape: Soundscape | None, onsets_per_s: float) -> bool:
    """Noise has a tempo and a key as well where one looks long enough."""
    if soundscape is not None:
        return any(event.label == "Music" for event in soundscape.events)
    return onsets_per_s >= _LEAST_ONSETS


def _in_whole(work: Work[Description], number: int, count: int) -> Work[Description]:
    """Progress of one file as a part of all, which never goes back."""
    for report in _reports(work):
        if isinstance(report, Description):
            return report
        low, high = _SHARES.get(report.stage, (0.0, 1.0))
        yield replace(report, fraction=min(1.0, (number + low + (high - low) * report.fraction) / count))
    raise AssertionError("a description ends with a result")


def _reports(work: Work[Description]) -> Iterator[Progress | Description]:
    while True:
        try:
            yield next(work)
        except StopIteration as stop:
            result: Description = stop.value
            yield result
            return


def _checked(names: Iterable[str], known: Sequence[str], what: str) -> tuple[str, ...]:
    out = tuple(dict.fromkeys(name.strip() for text in names for name in text.split(",") if name.strip()))
    unknown = next((name for name in out if name not in known), None)
    if unknown is not None:
        raise UsageError(f"There is no {what} {unknown!r}.", hint=f"Known are {', '.join(known)}.")
    return out
