"""How tools are made of streams: a change of every block, blocks of one size, a stretch out of the middle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import SoundError
from llm_music_gen.processing.audio import BLOCK_FRAMES, Audio, Block

#: What is made of a block may have double precision; it is stored in single.
Change = Callable[[Block], NDArray[Any]]
#: The highest frequency a filter can stand at, as a share of the sample rate.
HIGHEST_SHARE = 0.49


def mapped(audio: Audio, start: Callable[[], Change], channels: int | None = None) -> Audio:
    """Every block changed, length kept. `start` makes a fresh change, with its memory empty, for each walk."""

    def walk() -> Iterator[Block]:
        change = start()
        for block in audio.walk():
            yield np.asarray(change(block), dtype=np.float32)

    return replace(audio, channels=channels or audio.channels, walk=walk)


def placed(audio: Audio, change: Callable[[Block, int], NDArray[Any]]) -> Audio:
    """Every block changed by a function that also gets the number of its first frame."""

    def walk() -> Iterator[Block]:
        start = 0
        for block in audio.walk():
            yield np.asarray(change(block, start), dtype=np.float32)
            start += len(block)

    return replace(audio, walk=walk)


def steady(blocks: Iterable[Block], frames: int = BLOCK_FRAMES) -> Iterator[Block]:
    """The same samples in blocks of one size (the last may be shorter): what rounds by blocks then rounds the same way."""
    waiting: list[Block] = []
    count = 0
    for block in blocks:
        waiting.append(block)
        count += len(block)
        if count >= frames:
            joined = np.concatenate(waiting) if len(waiting) > 1 else block
            whole = count - count % frames
            for start in range(0, whole, frames):
                yield joined[start : start + frames]
            waiting, count = [joined[whole:]], count - whole
    if count:
        yield np.concatenate(waiting)


def filtered(audio: Audio, sections: NDArray[np.float64]) -> Audio:
    """Through second-order sections, in double precision. `sections`: shape (n, 6), as scipy's sosfilt takes them."""
    return mapped(audio, lambda: Filter(sections, audio.channels)) if len(sections) else audio


class Filter:
    """Second-order sections with memory, for blocks of shape (frames, channels)."""

    def __init__(self, sections: NDArray[np.float64], channels: int) -> None:
        self._sections = sections
        self._state = np.zeros((len(sections), channels, 2))

    def __call__(self, block: NDArray[Any]) -> NDArray[np.float64]:
        from scipy.signal import sosfilt

        if not len(block):
            return np.zeros(block.shape)
        # Channels apart in memory make the pass faster.
        out, self._state = sosfilt(self._sections, np.array(block.T, dtype=np.float64, order="C"), axis=1, zi=self._state)
        return np.asarray(out.T)


def stretch_of(audio: Audio, first: int, last: int) -> Audio:
    """The frames from `first` up to, not including, `last`."""
    first = min(max(first, 0), audio.frames)
    last = min(max(last, first), audio.frames)

    def walk() -> Iterator[Block]:
        at = 0
        for block in audio.walk():
            if at >= last:
                return
            part = block[max(0, first - at) : last - at]
            at += len(block)
            if len(part):
                yield part

    return replace(audio, frames=last - first, walk=walk)


def silent(audio: Audio, frames: int) -> Audio:
    """Silence of the same kind."""

    def walk() -> Iterator[Block]:
        for start in range(0, frames, BLOCK_FRAMES):
            yield np.zeros((min(BLOCK_FRAMES, frames - start), audio.channels), dtype=np.float32)

    return replace(audio, frames=frames, walk=walk)


def with_tail(audio: Audio, frames: int) -> Audio:
    """The sound and silence behind it."""

    def walk() -> Iterator[Block]:
        yield from audio.walk()
        yield from silent(audio, frames).walk()

    return replace(audio, frames=audio.frames + frames, walk=walk)


def stereo_only(audio: Audio, tool: str) -> None:
    """Raises SoundError for anything but two channels."""
    if audio.channels != 2:
        kind = "mono" if audio.channels == 1 else f"{audio.channels} channels"
        raise SoundError(
            f"{tool} needs a stereo file, this one is {kind}.", hint="Reverb or chorus can give a mono file some space."
        )


def frequency_inside(hz: float, sample_rate_hz: int) -> float:
    """The frequency, or the highest one a filter can stand at for this rate."""
    return min(hz, HIGHEST_SHARE * sample_rate_hz)
