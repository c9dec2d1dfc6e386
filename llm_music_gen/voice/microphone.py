"""The microphone, through miniaudio: mono at 16 kHz from a start to a stop. The only module here that imports it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import DependencyMissing, PlaybackError
from llm_music_gen.voice.ports import HEARING_RATE_HZ

#: A recording takes at most so long; what comes later is not kept.
LONGEST_S = 60.0


class Microphone:
    """Records between `start` and `stop`. Use it as a context manager: leaving it frees the device."""

    def __init__(self) -> None:
        self._device: Any = None
        self._blocks: list[NDArray[np.float32]] = []
        self._frames = 0
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to record. Raises PlaybackError where there is no microphone."""
        try:
            import miniaudio
        except ImportError as error:
            raise DependencyMissing("Recording needs miniaudio.", hint='Run "pip install miniaudio".') from error
        self.close()
        self._blocks, self._frames = [], 0
        try:
            with _drivers_quiet():
                self._device = miniaudio.CaptureDevice(
                    input_format=miniaudio.SampleFormat.FLOAT32, nchannels=1, sample_rate=HEARING_RATE_HZ
                )
                keeper = self._keep()
                next(keeper)
                self._device.start(keeper)
        except miniaudio.MiniaudioError as error:
            self.close()
            raise PlaybackError(
                "No microphone was found.", hint='Connect one, or give a recording with "talk --file".'
            ) from error

    def stop(self) -> NDArray[np.float32]:
        """End it and give what was recorded, shape (frames,). Raises PlaybackError where not even noise came in."""
        self.close()
        with self._lock:
            recorded = np.concatenate(self._blocks) if self._blocks else np.zeros(0, dtype=np.float32)
        # Systems without a microphone offer one that gives zeros.
        if not recorded.any():
            raise PlaybackError("The microphone gives no sound.", hint='Connect one, or give a recording with "talk --file".')
        return recorded

    def close(self) -> None:
        """Free the device."""
        if self._device is not None:
            self._device.close()
            self._device = None

    def __enter__(self) -> Microphone:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _keep(self) -> Generator[None, bytes, None]:
        """Called by the device's thread with each block."""
        while True:
            data = yield
            block = np.frombuffer(data, dtype=np.float32).copy()
            with self._lock:
                if self._frames < LONGEST_S * HEARING_RATE_HZ:
                    self._blocks.append(block)
                    self._frames += len(block)


@contextlib.contextmanager
def _drivers_quiet() -> Iterator[None]:
    """Drivers write pages of their own to stderr where a device is missing; the one sentence that counts comes from us."""
    try:
        before = os.dup(2)
    except OSError:  # a program without a console
        yield
        return
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)
