"""Speech in and out for the whole studio: texts become files, files become texts, commands become words."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.progress import Progress, Work, finish
from llm_music_gen.errors import SoundError, StorageError, UsageError
from llm_music_gen.paths import StudioPaths
from llm_music_gen.settings import Settings
from llm_music_gen.units import SAMPLE_RATE_HZ
from llm_music_gen.voice.pauses import pieces
from llm_music_gen.voice.ports import HEARING_RATE_HZ, Heard, Listener, Speaker, Spoken, Voice

USUAL_RATE_WPM = 165
ENGINES = ("sphinx", "whisper")
FORMATS = ("text", "srt", "vtt")
#: Loudness of spoken files, as podcasts have it. Coders overshoot, so that files of lossy formats get more room.
_SPEECH_LUFS, _CEILING_DBTP, _LOSSY_CEILING_DBTP = -16.0, -1.0, -2.0
_SENTENCE_PAUSE_S, _PARAGRAPH_PAUSE_S = 0.3, 0.8
_LONGEST_SENTENCE = 500
_LONGEST_TEXT = 2_000_000
_DEVICE_OPENS_S = 2.0
_OUTPUTS = ("wav", "flac", "mp3", "opus")
#: Longer answers are shown whole and spoken up to here.
_SPOKEN_CHARACTERS = 400
#: Softer than this nothing was said.
_SILENT = 1e-4


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in a file."""

    path: Path
    engine: str
    length_s: float
    heard: tuple[Heard, ...]

    @property
    def text(self) -> str:
        """All of it, a line for each stretch."""
        return "\n".join(heard.text for heard in self.heard)

    def as_json(self) -> dict[str, Any]:
        """The form on every wire."""
        said = [
            {"start_s": round(heard.start_s, 3), "stop_s": round(heard.stop_s, 3), "text": heard.text,
             "confidence": round(heard.confidence, 3)}
            for heard in self.heard
        ]  # fmt: skip
        return {
            "file": str(self.path),
            "engine": self.engine,
            "length_s": round(self.length_s, 3),
            "text": self.text,
            "said": said,
        }

    def written(self, form: str) -> str:
        """As text, srt or vtt. Raises UsageError for another form."""
        if form == "text":
            return self.text + "\n" if self.heard else ""
        if form == "srt":
            return "\n".join(
                f"{number}\n{_time(heard.start_s, ',')} --> {_time(heard.stop_s, ',')}\n{_one_line(heard.text)}\n"
                for number, heard in enumerate(self.heard, 1)
            )
        if form == "vtt":
            cues = (
                f"{_time(heard.start_s, '.')} --> {_time(heard.stop_s, '.')}\n{_escaped(_one_line(heard.text))}\n"
                for heard in self.heard
            )
            return "WEBVTT\n\n" + "\n".join(cues)
        raise UsageError(f"Transcripts are not written as {form!r}.", hint=f"Choose one of {', '.join(FORMATS)}.")


def voices_dir(paths: StudioPaths) -> Path:
    """Where the user's Whisper models (ggml-*.bin) and Piper voices (*.onnx with *.onnx.json) lie."""
    return paths.models_dir / "voices"


def voices(paths: StudioPaths) -> tuple[Voice, ...]:
    """Every voice that can speak, the usual one first."""
    return tuple(voice for speaker in _speakers(voices_dir(paths)) for voice in speaker.voices())


def check_voice(voice: str, paths: StudioPaths) -> tuple[Speaker, str]:
    """The engine of a voice and the voice's exact name; "" is the usual one. Raises UsageError."""
    known = [(speaker, one.name) for speaker in _speakers(voices_dir(paths)) for one in speaker.voices()]
    wanted = voice.strip().casefold() or known[0][1].casefold()
    chosen = next(((speaker, name) for speaker, name in known if name.casefold() == wanted), None)
    if chosen is None:
        raise UsageError(f"There is no voice {voice!r}.", hint='"llm-music-gen voices" lists them.')
    return chosen


def speak(text: str, voice: str, rate_wpm: int, paths: StudioPaths) -> Iterator[Spoken]:
    """The text in sentences, each followed by its pause. Raises UsageError (nothing to say, no such voice), SoundError."""
    if len(text) > _LONGEST_TEXT:
        raise UsageError(f"The text has {len(text)} characters.", hint=f"Up to {_LONGEST_TEXT} can be spoken; make it parts.")
    said = list(sentences(text))
    if not said:
        raise UsageError("There is nothing to speak.", hint='Give words, as in: llm-music-gen speak "Good evening" -o out.wav')
    speaker, name = check_voice(voice, paths)
    for sentence, pause_s in said:
        spoken = speaker.speak(sentence, name, rate_wpm)
        silence = np.zeros(round(pause_s * spoken.sample_rate_hz), dtype=np.float32)
        yield Spoken(np.concatenate((spoken.samples, silence)), spoken.sample_rate_hz)


def speak_to_file(text: str, voice: str, rate_wpm: int, out: Path, paths: StudioPaths, settings: Settings) -> Work[Path]:
    """Speak a text into a file: 44.1 kHz stereo at -16 LUFS, the true peak under -1 dBTP, in the format of its name.

    Yields progress of the stages "speak" and "convert". Raises UsageError, SoundError, StorageError, DependencyMissing.
    """
    from llm_music_gen.processing.audio import BLOCK_FRAMES, Audio, Block
    from llm_music_gen.processing.levels import normalize
    from llm_music_gen.processing.rates import resampled
    from llm_music_gen.processing.streams import mapped
    from llm_music_gen.processing.writing import LOSSY, Encoding, fitted, write

    audio_format = out.suffix.lower().removeprefix(".")
    if audio_format not in _OUTPUTS:
        raise UsageError(
            f"{out.name} has no format that speech is written in.", hint="End its name with .wav, .flac, .mp3 or .opus."
        )
    if not out.parent.is_dir():
        raise StorageError(f"The folder {out.parent} does not exist.", hint="Make it first, or choose another.")
    count = max(1, sum(1 for _ in sentences(text)))
    with tempfile.TemporaryDirectory(prefix="llm-music-gen-") as folder:
        raw = Path(folder) / "speech"
        frames, rate_hz, peak = 0, SAMPLE_RATE_HZ, 0.0
        with raw.open("wb") as file:
            for number, spoken in enumerate(speak(text, voice, rate_wpm, paths), 1):
                rate_hz = spoken.sample_rate_hz
                spoken.samples.astype(np.float32).tofile(file)
                frames += len(spoken.samples)
                peak = max(peak, float(np.max(np.abs(spoken.samples), initial=0.0)))
                yield Progress("speak", number / count, "Speaking")
        if peak < _SILENT:
            raise UsageError("There is nothing in this text that could be spoken.", hint="Give words.")

        def walk() -> Iterator[Block]:
            with raw.open("rb") as file:
                while len(numbers := np.fromfile(file, dtype=np.float32, count=BLOCK_FRAMES)):
                    yield numbers.reshape(-1, 1)

        stereo = mapped(
            resampled(Audio(rate_hz, 1, frames, walk), SAMPLE_RATE_HZ),
            lambda: lambda block: np.repeat(block, 2, axis=1),
            channels=2,
        )
        encoding = Encoding(audio_format, kbps=settings.mp3_kbps if audio_format == "mp3" else None)
        level = normalize(stereo, _SPEECH_LUFS, _LOSSY_CEILING_DBTP if audio_format in LOSSY else _CEILING_DBTP)
        ready, _ = fitted(level, encoding)
        yield from write(ready, out, encoding)
    return out


def transcribe_file(path: Path, engine: str, language: str, paths: StudioPaths, model: Path | None = None) -> Work[Transcript]:
    """What is said in a file of any length, heard in pieces at its pauses, so that memory does not grow with it.

    `engine` is sphinx, whisper, or "" for Whisper where a model of it is there. Yields progress of the stage "transcribe".
    Raises UsageError, SoundError, StorageError, DependencyMissing.
    """
    from llm_music_gen.processing.files import opened
    from llm_music_gen.processing.rates import resampled

    name, listener = _listener(engine, language, paths, model)
    audio = opened(path).audio
    slow = resampled(audio, HEARING_RATE_HZ)
    heard: list[Heard] = []

    def mono() -> Iterator[NDArray[np.float32]]:
        for block in slow.walk():
            yield block.mean(axis=1, dtype=np.float32)

    for piece in pieces(mono()):
        heard.extend(listener.hear(piece.samples, piece.start_s))
        done_s = piece.start_s + len(piece.samples) / HEARING_RATE_HZ
        yield Progress("transcribe", min(1.0, done_s / max(1e-9, audio.length_s)), f"Listening to {path.name}")
    return Transcript(path, name, audio.length_s, tuple(heard))


def write_transcript(transcript: Transcript, form: str, folder: Path, taken: set[Path]) -> Path:
    """Into a file named after the sound; names in `taken` get a number, and the new one joins them. Raises StorageError."""
    suffix = ".txt" if form == "text" else f".{form}"
    target, number = folder / f"{transcript.path.stem}{suffix}", 1
    while target in taken:
        number += 1
        target = folder / f"{transcript.path.stem} ({number}){suffix}"
    part = target.with_name(target.name + ".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_text(transcript.written(form), encoding="utf-8")
        part.replace(target)
    except OSError as error:
        raise StorageError(f"{target} cannot be written ({error.strerror or error}).", hint="Choose another folder.") from error
    finally:
        part.unlink(missing_ok=True)
    taken.add(target)
    return target


def checked_rate(text: str) -> int:
    """Words a minute. Raises UsageError."""
    if not text.strip().isascii() or not text.strip().isdigit() or not 80 <= int(text.strip()[:6]) <= 400:
        raise UsageError(f"{text!r} is no rate of speech.", hint="Give words a minute from 80 to 400, such as --rate 165.")
    return int(text)


def command_heard(blocks: Iterator[NDArray[np.float32]]) -> str:
    """The spoken command in mono sound at 16 kHz, or "" where none was understood."""
    return " ".join(heard.text for piece in pieces(blocks) for heard in _commands().hear(piece.samples, piece.start_s))


def command_in_file(path: Path) -> str:
    """The spoken command in a sound file. Raises SoundError, StorageError."""
    from llm_music_gen.processing.files import opened
    from llm_music_gen.processing.rates import resampled

    audio = resampled(opened(path).audio, HEARING_RATE_HZ)
    return command_heard(block.mean(axis=1, dtype=np.float32) for block in audio.walk())


def say_aloud(
    text: str, voice: str, paths: StudioPaths, settings: Settings, is_stopped: Callable[[], bool] = lambda: False
) -> None:
    """Speak an answer to whoever sits here and wait until it is over; of a long one the beginning.

    Raises UsageError, SoundError, StorageError, PlaybackError.
    """
    with tempfile.TemporaryDirectory(prefix="llm-music-gen-") as folder:
        out = Path(folder) / "answer.wav"
        finish(speak_to_file(text[:_SPOKEN_CHARACTERS], voice, USUAL_RATE_WPM, out, paths, settings))
        if not is_stopped():
            play_to_end(out, is_stopped)


def play_to_end(path: Path, is_stopped: Callable[[], bool] = lambda: False) -> None:
    """Play a short file and wait until it is over; without a sound card nothing is played. Raises PlaybackError."""
    from llm_music_gen.playback.miniaudio_player import MiniaudioPlayer

    player = MiniaudioPlayer()
    try:
        player.load(path)
        player.play()
        until = time.monotonic() + player.length_s + _DEVICE_OPENS_S
        while player.is_playing and not is_stopped() and not player.notice and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        player.close()


def sentences(text: str) -> Iterator[tuple[str, float]]:
    """The sentences of a text that hold something to say, each with the pause in seconds that follows it."""
    plain = "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text.replace("\r\n", "\n"))
    for paragraph in re.split(r"\n\s*\n", plain):
        parts = [part for sentence in re.split(r"(?<=[.!?…])\s+", " ".join(paragraph.split())) for part in _shortened(sentence)]
        spoken = [part for part in parts if part.strip()]
        for number, part in enumerate(spoken, 1):
            yield part, _PARAGRAPH_PAUSE_S if number == len(spoken) else _SENTENCE_PAUSE_S


def _shortened(sentence: str) -> Iterator[str]:
    """A sentence in parts that an engine can hold, cut at spaces where there are any."""
    while len(sentence) > _LONGEST_SENTENCE:
        cut = sentence.rfind(" ", 1, _LONGEST_SENTENCE)
        cut = cut if cut > 0 else _LONGEST_SENTENCE
        yield sentence[:cut]
        sentence = sentence[cut:].lstrip()
    yield sentence


@lru_cache(maxsize=4)
def _speakers(folder: Path) -> tuple[Speaker, ...]:
    from llm_music_gen.voice.espeak import Espeak
    from llm_music_gen.voice.piper import Piper

    return (Espeak(), Piper(folder))


@lru_cache(maxsize=1)
def _dictation() -> Listener:
    from llm_music_gen.voice.sphinx import Sphinx

    return Sphinx()


@lru_cache(maxsize=1)
def _commands() -> Listener:
    from llm_music_gen.voice.grammar import PRONUNCIATIONS, commands
    from llm_music_gen.voice.sphinx import Sphinx

    return Sphinx(commands, PRONUNCIATIONS)


def _listener(engine: str, language: str, paths: StudioPaths, model: Path | None) -> tuple[str, Listener]:
    if engine not in ("", *ENGINES):
        raise UsageError(f"There is no engine {engine!r} that hears.", hint=f"Choose one of {', '.join(ENGINES)}.")
    found = model or next(iter(sorted(voices_dir(paths).rglob("ggml-*.bin"))), None)
    if engine == "whisper" or model is not None or (not engine and found is not None):
        if found is None or not found.is_file():
            where = found or voices_dir(paths) / "ggml-*.bin"
            raise SoundError(f"There is no Whisper model {where}.", hint="Put one there, or name it with --model.")
        from llm_music_gen.voice.whisper import Whisper

        return "whisper", Whisper(found, language)
    if language and not language.lower().startswith("en"):
        raise UsageError("The built-in recogniser understands English only.", hint="Other languages need a Whisper model.")
    return "sphinx", _dictation()


def _time(place_s: float, point: str) -> str:
    milliseconds = round(place_s * 1000)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{milliseconds:03d}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
