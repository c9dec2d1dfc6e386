"""Reads the layers that people ask for, such as "binaural 10-2, rain, pink -6dB": a name, then beats in Hz and a level."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence
from pathlib import Path

from llm_music_gen.errors import StorageError, UsageError
from llm_music_gen.sound.bed.entrainment import beat_locked_to_tempo, fold_carrier
from llm_music_gen.sound.bed.layers import BEATS, COLOURS, KINDS, USUAL_LEVEL_DB, BedLayer
from llm_music_gen.sound.bed.sbg import SbgStep, SbgTone, read_sbg
from llm_music_gen.sound.bed.schedule import Schedule
from llm_music_gen.studio.long.record import LayerRecord

MOST_LAYERS = 12
#: Without a number: from relaxed to deep within the first hour, where the track is that long.
USUAL_BEAT_HZ = (10.0, 2.0)
USUAL_GLIDE_S = 3_600.0
BEAT_RANGE_HZ = (0.1, 45.0)
TONE_RANGE_HZ = (20.0, 1_500.0)
_HOW = 'Write for example "binaural 10-2, rain, pink -6dB" (names, beats in Hz, louder or softer in dB).'
_BEAT = re.compile(r"^(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?(?:hz)?$")
_LEVEL = re.compile(r"^([+-]\d+(?:\.\d+)?)(?:db)?$")
_GLIDE = re.compile(r"^(\d+(?:\.\d+)?)min$")
_ALIASES = {"noise": "pink", "ocean": "surf", "waves": "surf", "sea": "surf", "pulse": "isochronic", "pulses": "isochronic"}


def read_layers(text: str, *, tonic_hz: float, tempo_bpm: float, length_s: float) -> tuple[LayerRecord, ...]:
    """The layers in `text`. Carriers of beats lie on the tonic, folded to 120-500 Hz. Raises UsageError in one sentence."""
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    if len(wanted) > MOST_LAYERS:
        raise UsageError(f"{len(wanted)} layers are too many.", hint=f"{MOST_LAYERS} are the most.")
    layers: list[LayerRecord] = []
    for part in wanted:
        if part.lower().endswith(".sbg"):
            layers += _from_sbg(Path(part).expanduser(), length_s)
        else:
            layers.append(_layer(part, tonic_hz, tempo_bpm, length_s))
    return tuple(layers)


def check_layers(text: str) -> None:
    """Refuse what cannot be read, before anything is known of the track. Raises UsageError."""
    read_layers(text, tonic_hz=220.0, tempo_bpm=60.0, length_s=3_600.0)


def layers_text(records: Sequence[LayerRecord]) -> str:
    """The words for layers, as people write them. What came from a schedule with times of its own has none and is left out."""
    return ", ".join(_words(record) for record in records if record.end_s is None and not record.start_s and _is_plain(record))


def _is_plain(record: LayerRecord) -> bool:
    return len(record.beat_points) <= 2


def _words(record: LayerRecord) -> str:
    words = [record.kind]
    if record.kind in BEATS:
        (_, first_hz), (glide_s, last_hz) = record.beat_points[0], record.beat_points[-1]
        words.append(f"{first_hz:.10g}" if first_hz == last_hz else f"{first_hz:.10g}-{last_hz:.10g}")
        if first_hz != last_hz and glide_s != USUAL_GLIDE_S:
            words.append(f"{glide_s / 60:.10g}min")
    elif record.kind == "tone":
        words.append(f"{record.carrier_hz:.10g}")
    louder_db = round(record.level_db - USUAL_LEVEL_DB[record.kind], 6)
    if louder_db:
        words.append(f"{louder_db:+g}dB")
    return " ".join(words)


def bed_layer(record: LayerRecord, seed: int) -> BedLayer:
    """The layer that sounds."""
    return BedLayer(
        record.kind, record.level_db, seed, record.carrier_hz, Schedule(record.beat_points), record.start_s,
        math.inf if record.end_s is None else record.end_s, record.fade_s,
    )  # fmt: skip


def _layer(text: str, tonic_hz: float, tempo_bpm: float, length_s: float) -> LayerRecord:
    words = text.lower().replace("–", "-").split()
    words = [word for word in words if word not in ("noise", "beats", "beat", "hz", "db")] or words
    kind = _ALIASES.get(words[0], words[0])
    if kind not in KINDS:
        near = difflib.get_close_matches(kind, [*KINDS, *_ALIASES], n=1, cutoff=0.6)
        raise UsageError(
            f"There is no layer {words[0]!r}.", hint=f"Did you mean {near[0]!r}?" if near else f"Choose from {', '.join(KINDS)}."
        )
    level_db, glide_s, beats, locked = USUAL_LEVEL_DB[kind], min(USUAL_GLIDE_S, length_s), None, False
    for word in words[1:]:
        if match := _LEVEL.match(word):
            level_db += float(match[1])
        elif match := _GLIDE.match(word):
            glide_s = min(length_s, 60.0 * float(match[1]))
        elif word == "locked":
            locked = True
        elif (match := _BEAT.match(word)) and kind not in COLOURS:
            beats = (float(match[1]), float(match[2] or match[1]))
        else:
            raise UsageError(f"{word!r} in the layer {text!r} cannot be understood.", hint=_HOW)
    if not -70.0 <= level_db <= -6.0:
        raise UsageError(f"The layer {text!r} would be too loud or not heard at all.", hint="Give -20dB to +20dB.")
    if kind not in BEATS:
        carrier_hz = _tone_hz(beats[0] if beats else None, tonic_hz) if kind == "tone" else 0.0
        return LayerRecord(kind=kind, level_db=level_db, carrier_hz=carrier_hz)
    first_hz, last_hz = beats or USUAL_BEAT_HZ
    if locked:
        first_hz, last_hz = beat_locked_to_tempo(first_hz, tempo_bpm), beat_locked_to_tempo(last_hz, tempo_bpm)
    for beat_hz in (first_hz, last_hz):
        if not BEAT_RANGE_HZ[0] <= beat_hz <= BEAT_RANGE_HZ[1]:
            raise UsageError(f"A beat of {beat_hz:g} Hz is outside 0.1 to 45 Hz.", hint=_HOW)
    points = ((0.0, first_hz),) if first_hz == last_hz else ((0.0, first_hz), (max(1.0, glide_s), last_hz))
    return LayerRecord(kind=kind, level_db=level_db, carrier_hz=fold_carrier(tonic_hz), beat_points=points)


def _tone_hz(asked_hz: float | None, tonic_hz: float) -> float:
    """Where a plain tone lies: as asked, or on the tonic, in an octave that it can have."""
    low, high = TONE_RANGE_HZ
    if asked_hz is None:
        while tonic_hz > high:
            tonic_hz /= 2.0
        return tonic_hz
    if not low <= asked_hz <= high:
        raise UsageError(f"A tone of {asked_hz:g} Hz is outside {low:g} to {high:g} Hz.", hint="A lower one can be a beat.")
    return asked_hz


def _from_sbg(path: Path, length_s: float) -> list[LayerRecord]:
    """A schedule's tones as layers; what glides in it glides in its beat."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError) as error:  # ValueError: no name of a file
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise StorageError(f"{str(path)!r} cannot be read ({reason}).", hint="Give an .sbg file.") from error
    steps = read_sbg(text)
    low, high = TONE_RANGE_HZ
    for tone in (tone for step in steps for tone in step.tones if tone.kind not in COLOURS):
        if not low <= tone.carrier_hz <= high:
            raise UsageError(
                f"{path.name} asks for a tone of {tone.carrier_hz:g} Hz.", hint=f"Tones lie between {low:g} and {high:g} Hz."
            )
    layers = []
    for number, step in enumerate(steps):
        following = steps[number + 1] if number + 1 < len(steps) else None
        end_s = min(length_s, following.at_s if following else length_s)
        if end_s > step.at_s:
            layers += [_sbg_layer(tone, place, step, following, end_s) for place, tone in enumerate(step.tones)]
    return layers


def _sbg_layer(tone: SbgTone, place: int, step: SbgStep, following: SbgStep | None, end_s: float) -> LayerRecord:
    usual_db = USUAL_LEVEL_DB[tone.kind]
    level_db = max(-70.0, usual_db + 20.0 * math.log10(max(1e-3, tone.amplitude)) + 14.0)
    points: tuple[tuple[float, float], ...] = ((step.at_s, abs(tone.beat_hz)),)
    if step.slide and following is not None and place < len(following.tones) and following.tones[place].kind == tone.kind:
        points = (*points, (end_s, abs(following.tones[place].beat_hz)))
    return LayerRecord(
        kind=tone.kind, level_db=level_db, carrier_hz=tone.carrier_hz, beat_points=points, start_s=step.at_s, end_s=end_s,
        fade_s=min(3.0, (end_s - step.at_s) / 3),
    )  # fmt: skip
