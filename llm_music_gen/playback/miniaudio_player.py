"""The real player: miniaudio pulls blocks from the deck in its own thread. Without a sound card it plays to a null device."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from llm_music_gen.playback.deck_player import SYSTEM_DEVICE, DeckPlayer
from llm_music_gen.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from llm_music_gen.playback.deck import Deck

BUFFER_MS = 200
#: Buffers of that length which the device keeps filled: a late one is heard only when all of them have run out.
PERIODS = 3
SILENT_NOTICE = "No sound card was found, so the music plays silently. Connect one and start the program again."
_log = logging.getLogger(__name__)


class MiniaudioPlayer(DeckPlayer):
    """Plays through the sound card. The device is opened at the first `play`, in a thread, because drivers take their time."""

    def __init__(self, device: str = SYSTEM_DEVICE, *, null_device: bool = False) -> None:
        super().__init__(latency_s=BUFFER_MS / 1000)
        self._wanted = device
        self._null_only = null_device
        self._opening = threading.Lock()
        self._device: Any = None
        self._closed = False
        self._notice = ""

    @property
    def notice(self) -> str:
        """Why nothing is heard, or ""."""
        return self._notice

    def play(self) -> None:
        """Start or go on; the first time the device is opened meanwhile."""
        super().play()
        if self._device is None and not self._opening.locked():
            threading.Thread(target=self._open, name="sound card", daemon=True).start()

    def devices(self) -> tuple[str, ...]:
        """Names of the output devices after the system's own choice."""
        if self._null_only:
            return (SYSTEM_DEVICE,)
        import miniaudio

        try:
            found = miniaudio.Devices().get_playbacks()
        except miniaudio.MiniaudioError:
            return (SYSTEM_DEVICE,)
        return (SYSTEM_DEVICE, *dict.fromkeys(device["name"] for device in found))

    def choose_device(self, name: str) -> None:
        """Play through another device from now on."""
        if name != self._wanted:
            self._wanted = name
            was_open = self._device is not None
            self._close_device()
            if was_open:
                threading.Thread(target=self._open, name="sound card", daemon=True).start()

    def close(self) -> None:
        """Give the device and the files back."""
        self._closed = True
        self._close_device()
        super().close()

    def _open(self) -> None:
        import miniaudio

        with self._opening:
            if self._device is not None or self._closed:
                return
            try:
                if self._null_only:
                    raise miniaudio.MiniaudioError("silence is wanted")
                self._device = self._device_for(device_id=self._device_id(miniaudio))
                self._notice = ""
            except miniaudio.MiniaudioError as error:
                if not self._null_only:
                    _log.info("no sound card: %s", error)
                    self._notice = SILENT_NOTICE
                self._device = self._device_for(backends=[miniaudio.Backend.NULL])
            self._device.start(_primed(self._deck))

    def _device_for(self, **options: Any) -> Any:
        import miniaudio

        return miniaudio.PlaybackDevice(
            output_format=miniaudio.SampleFormat.FLOAT32,
            nchannels=2,
            sample_rate=SAMPLE_RATE_HZ,
            buffersize_msec=BUFFER_MS,
            callback_periods=PERIODS,
            app_name="Llm-Music-Gen",
            **options,
        )

    def _device_id(self, miniaudio: Any) -> Any:
        if self._wanted == SYSTEM_DEVICE:
            return None
        return next((device["id"] for device in miniaudio.Devices().get_playbacks() if device["name"] == self._wanted), None)

    def _close_device(self) -> None:
        with self._opening:
            device, self._device = self._device, None
            if device is not None:
                with contextlib.suppress(Exception):  # a driver that complains while closing has closed
                    device.close()


def _primed(deck: Deck) -> Generator[Any, int, None]:
    blocks = _blocks(deck)
    next(blocks)
    return blocks


def _blocks(deck: Deck) -> Generator[Any, int, None]:
    frames = yield b""
    while True:
        frames = yield deck.read(frames)
