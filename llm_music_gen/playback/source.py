"""Audio files as streams of stereo blocks at the player's rate. Reads only what is played next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from llm_music_gen.errors import PlaybackError
from llm_music_gen.playback.mp3_frames import ConstantMp3, Tail, next_frame, read_constant_mp3
from llm_music_gen.playback.resampling import StreamResampler
from llm_music_gen.units import SAMPLE_RATE_HZ

#: Stereo samples, float32, shape (frames, 2).
Block = np.ndarray[Any, np.dtype[np.float32]]
#: After a jump decoders need this many samples to find their feet.
_LEAD_IN = 8192


class AudioSource:
    """One open file, read from a position on. Lengths and positions are frames at `SAMPLE_RATE_HZ`."""

    def __init__(self, path: Path, start_s: float = 0.0) -> None:
        """Open a file at a moment. Raises PlaybackError in one sentence."""
        import soundfile

        self.path = path
        try:
            with soundfile.SoundFile(path) as whole:
                self._rate_hz, frames = int(whole.samplerate), int(whole.frames)
                constant = read_constant_mp3(path) if whole.format == "MPEG" or path.suffix.lower() == ".mp3" else None
            if not 100 <= self._rate_hz <= 1_000_000 or frames < 0:
                raise PlaybackError(f"{path.name} says impossible things about itself.", hint="It may be damaged.")
            start = min(max(0, round(start_s * self._rate_hz)), frames)
            self._file, self._tail = _opened(path, constant if self._rate_hz == getattr(constant, "rate_hz", 0) else None, start)
        except (OSError, RuntimeError, ValueError) as error:
            reason = "it is not there" if not path.exists() else "it is no audio file that can be read"
            raise PlaybackError(
                f"{path.name} cannot be played: {reason}.", hint="MP3, FLAC, WAV, Ogg and Opus will do."
            ) from error
        self.frames = round(frames * SAMPLE_RATE_HZ / self._rate_hz)
        self._position = float(start * SAMPLE_RATE_HZ / self._rate_hz)
        self._resampler = StreamResampler(self._rate_hz, SAMPLE_RATE_HZ) if self._rate_hz != SAMPLE_RATE_HZ else None
        self._ended = False

    @property
    def position(self) -> int:
        """The frame that is read next."""
        return int(self._position)

    @property
    def length_s(self) -> float:
        """Length of the file in seconds, as its header has it."""
        return self.frames / SAMPLE_RATE_HZ

    def read(self, frames: int) -> Block:
        """The next frames; fewer at the end of the file. A file that breaks off or vanishes simply ends."""
        if self._resampler is None:
            block = self._read_file(frames)
        else:
            pieces, have = [], 0
            while have < frames:
                piece = self._resampler.pull(frames - have, self._read_file)
                if not len(piece):
                    break
                pieces.append(piece)
                have += len(piece)
            block = np.concatenate(pieces) if pieces else np.zeros((0, 2), np.float32)
        self._position += len(block)
        return block

    def close(self) -> None:
        """Give the file back."""
        self._file.close()
        if self._tail is not None:
            self._tail.close()

    def _read_file(self, frames: int) -> Block:
        if self._ended:
            return np.zeros((0, 2), np.float32)
        try:
            block = self._file.read(frames, dtype="float32", always_2d=True)
        except (OSError, RuntimeError):
            block = np.zeros((0, 2), np.float32)
        self._ended = len(block) < frames
        if block.shape[1] != 2:
            # One channel goes to both sides; of more than two the first two are the front pair.
            block = np.repeat(block, 2, axis=1) if block.shape[1] == 1 else block[:, :2]
        # Float files may hold anything; what is not a number must not reach a loudspeaker.
        heard: Block = np.clip(np.nan_to_num(block), -1.0, 1.0).astype(np.float32, copy=False)
        return heard


def _opened(path: Path, constant: ConstantMp3 | None, start: int) -> tuple[Any, Tail | None]:
    """The decoder at a sample of the file, and the part of the file it reads where that is not the whole."""
    if constant is not None and start > 0:
        offset, drop = constant.offset_of(start)
        with path.open("rb") as raw:
            frame = next_frame(raw, offset, constant.mark)
        if frame is not None:
            tail = Tail(path, frame)
            try:
                file = _decoder(tail)
                file.read(drop, dtype="float32")
            except (OSError, RuntimeError):
                tail.close()
                raise
            return file, tail
    file = _decoder(path)
    if start:
        lead_in = min(start, _LEAD_IN)
        file.seek(start - lead_in)
        file.read(lead_in, dtype="float32")
    return file, None


def _decoder(file: Path | Tail) -> Any:
    """A `SoundFile` that reads straight on. The usual one seeks after each read, which silences an MP3 of changing rate."""
    import soundfile

    class Stream(soundfile.SoundFile):  # type: ignore[misc]
        def seekable(self) -> bool:
            return False

    return Stream(file)
