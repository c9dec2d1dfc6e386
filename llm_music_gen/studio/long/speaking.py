"""Speaks a narration once, before anything is rendered: what an engine says is recorded, never asked for again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen import disk
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import StorageError, UsageError
from llm_music_gen.paths import StudioPaths
from llm_music_gen.studio.voice_room import check_voice, sentences
from llm_music_gen.units import SAMPLE_RATE_HZ, db_to_gain
from llm_music_gen.voice.ports import Spoken
from llm_music_gen.voice.script import USUAL_PAUSE_S, Place, placed, read_script, up_to_grid

#: Slower than people talk.
USUAL_RATE_WPM = 110
#: Loudness of the file with the voice, and how far peaks may stand over it.
_FILE_LUFS, _CREST_DB = -20.0, 12.0
_RUMBLE_HZ = 70.0
_EDGE_S, _QUIET_DB, _SILENT = 0.005, -50.0, 1e-4
_BLOCK = 1 << 17


@dataclass(frozen=True, slots=True)
class NarrationWish:
    """What shall be spoken, and how."""

    text: str
    voice: str = ""
    """As `voices` lists it; empty is the usual one."""
    rate_wpm: int = USUAL_RATE_WPM
    pause_s: float = USUAL_PAUSE_S
    """Between paragraphs that have no mark."""


def speak_script(wanted: NarrationWish, out: Path, paths: StudioPaths) -> Work[tuple[str, tuple[Place, ...]]]:
    """Speak a text into a mono FLAC, sentence after sentence without the pauses, at -20 LUFS; the voice's name and the times.

    Yields "theme". Raises UsageError, SoundError, StorageError, DependencyMissing.
    """
    speaker, name = check_voice(wanted.voice, paths)
    parts = read_script(wanted.text)
    texts = [[text for text, _ in sentences(part.text) if any(letter.isalnum() for letter in text)] for part in parts]
    count, done = sum(map(len, texts)), 0
    spoken: list[list[tuple[str, float]]] = []
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="llm-music-gen-") as folder:
            raw = Path(folder) / "speech"
            with raw.open("wb") as file:
                for sayings in texts:
                    spoken.append([])
                    for text in sayings:
                        yield Progress("theme", 0.0, f"Speaking sentence {done + 1} of {count}")
                        samples = _trimmed(speaker.speak(text, name, wanted.rate_wpm))
                        done += 1
                        if len(samples):
                            samples.tofile(file)
                            spoken[-1].append((text, len(samples) / SAMPLE_RATE_HZ))
            if not any(spoken):
                raise UsageError("There is nothing in the narration that this voice can speak.", hint="Choose another voice.")
            _mastered(raw, out)
    except OSError as error:
        raise disk.storage_error(out, error) from error
    heard = [(part, sayings) for part, sayings in zip(parts, spoken, strict=True) if sayings]
    return name, placed([part for part, _ in heard], [sayings for _, sayings in heard], wanted.pause_s)


def _trimmed(spoken: Spoken) -> NDArray[np.float32]:
    """Speech at the track's rate without the silence around it, faded at its ends, filled up to whole tenths of a second."""
    from scipy.signal import butter, sosfilt

    from llm_music_gen.processing.audio import Audio
    from llm_music_gen.processing.rates import resampled

    mono = spoken.samples.astype(np.float32).reshape(-1, 1)
    if not len(mono):
        return np.zeros(0, dtype=np.float32)
    audio = resampled(Audio(spoken.sample_rate_hz, 1, len(mono), lambda: iter((mono,))), SAMPLE_RATE_HZ)
    samples = np.concatenate(list(audio.walk()))[:, 0].astype(np.float64)
    samples = sosfilt(butter(2, _RUMBLE_HZ, "highpass", fs=SAMPLE_RATE_HZ, output="sos"), samples)
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < _SILENT:
        return np.zeros(0, dtype=np.float32)
    heard = np.flatnonzero(np.abs(samples) > peak * db_to_gain(_QUIET_DB))
    samples = samples[max(0, heard[0] - SAMPLE_RATE_HZ // 50) : heard[-1] + SAMPLE_RATE_HZ // 20]
    edge = min(len(samples) // 4, round(_EDGE_S * SAMPLE_RATE_HZ))
    rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(edge) / max(1, edge))
    samples[:edge] *= rise
    samples[len(samples) - edge :] *= rise[::-1]
    frames = round(up_to_grid(len(samples) / SAMPLE_RATE_HZ) * 10) * (SAMPLE_RATE_HZ // 10)
    return np.pad(samples, (0, max(0, frames - len(samples))))[:frames].astype(np.float32)


def _mastered(raw: Path, out: Path) -> None:
    """Raw mono samples as FLAC at a loudness of -20 LUFS where both ears hear it, the peaks held."""
    import soundfile

    from llm_music_gen.sound.limiter import limited_stream
    from llm_music_gen.sound.loudness import LoudnessMeter

    meter = LoudnessMeter(SAMPLE_RATE_HZ, true_peak=False)
    for block in _blocks(raw):
        meter.push(np.repeat(block, 2, axis=1))
    lufs = meter.result().integrated_lufs
    if not np.isfinite(lufs):
        raise UsageError("There is nothing in the narration that this voice can speak.", hint="Choose another voice.")
    gain = np.float32(db_to_gain(_FILE_LUFS - lufs))
    part = out.with_name(out.name + ".part")
    try:
        with soundfile.SoundFile(str(part), "w", SAMPLE_RATE_HZ, 1, "PCM_24", format="FLAC") as file:
            for block in limited_stream((block * gain for block in _blocks(raw)), 1, SAMPLE_RATE_HZ, _FILE_LUFS + _CREST_DB):
                file.write(block)
            frames = file.frames
        with soundfile.SoundFile(str(part)) as file:  # a full disk may cut a write short unnoticed
            file.seek(frames - 1)
            if len(file.read(1)) != 1:
                raise RuntimeError("it is cut short")
        part.replace(out)
    except RuntimeError as error:
        raise StorageError(f"{out} cannot be written ({error}).", hint="Free some space.") from error
    finally:
        part.unlink(missing_ok=True)


def _blocks(raw: Path) -> Iterator[NDArray[np.float32]]:
    with raw.open("rb") as file:
        while len(numbers := np.fromfile(file, dtype=np.float32, count=_BLOCK)):
            yield numbers.reshape(-1, 1)
