"""Filters given by a curve: any gain over frequency, as minimum-phase filters that add no delay and no echo before the sound."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio, Block
from llm_music_gen.processing.dsp.spectrum import exact_blocks

#: Frames that each transform brings forward; with the filter they fill one of a fast size.
_SIZE = 1 << 16


def minimum_phase(gains_db: NDArray[np.float64], taps: int) -> NDArray[np.float32]:
    """The filter with these gains at evenly spaced frequencies from 0 to half the sample rate, cut to `taps`.

    gains_db: shape (2^n + 1,). By the real cepstrum (Oppenheim and Schafer, Discrete-Time Signal Processing, 13.5).
    """
    from scipy.fft import irfft, rfft

    size = 2 * (len(gains_db) - 1)
    cepstrum = irfft(gains_db * (np.log(10) / 20), size)
    cepstrum[1 : size // 2] *= 2
    cepstrum[size // 2 + 1 :] = 0
    out = irfft(np.exp(rfft(cepstrum)), size)[:taps]
    half = taps // 2
    out[half:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(taps - half) / (taps - half))
    return np.asarray(out, dtype=np.float32)


def convolved(audio: Audio, taps: NDArray[np.float32]) -> Audio:
    """Every channel through a filter, length kept. Overlap-save with long transforms."""

    def walk() -> Iterator[Block]:
        from scipy.fft import irfft, rfft

        reach = len(taps) - 1
        size = max(_SIZE, 1 << (4 * reach).bit_length())
        hop = size - reach
        spectrum = rfft(taps, size)
        before = np.zeros((audio.channels, reach), dtype=np.float32)
        for block in exact_blocks(audio, hop):
            samples = np.zeros((audio.channels, size), dtype=np.float32)
            samples[:, :reach] = before
            samples[:, reach : reach + len(block)] = block.T
            before = samples[:, hop:].copy()
            out = np.empty_like(block)
            # One channel at a time, so that 32 of them need no more memory.
            for channel, row in enumerate(samples):
                out[:, channel] = irfft(rfft(row) * spectrum, size)[reach : reach + len(block)]
            yield out

    return Audio(audio.sample_rate_hz, audio.channels, audio.frames, walk)
