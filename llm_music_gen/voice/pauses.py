"""Cuts a stream of sound into pieces at pauses, so that speech of any length can be heard with little memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.voice.ports import HEARING_RATE_HZ

_FRAME = HEARING_RATE_HZ // 50
#: A pause is at least this long; a piece at most.
_PAUSE_S, _LONGEST_S, _SHORTEST_S = 0.35, 25.0, 0.15
_MARGIN_S = 0.15
#: Speech stands this far above the noise.
_ABOVE_NOISE_DB = 9.0
_SILENT_DBFS = -60.0
_FLOOR_RISE_DB = 0.03


@dataclass(frozen=True, slots=True)
class Piece:
    """Sound between two pauses."""

    start_s: float
    samples: NDArray[np.float32]
    """Mono at 16 kHz, shape (frames,)."""


def pieces(blocks: Iterable[NDArray[np.float32]]) -> Iterator[Piece]:
    """The pieces of mono blocks at 16 kHz in which something sounds, the margins around them included."""
    pause, longest, margin = (round(length_s * 50) for length_s in (_PAUSE_S, _LONGEST_S, _MARGIN_S))
    floor_db, quiet, speaking, first = 0.0, 0, False, 0
    frames: list[NDArray[np.float32]] = []
    known = False
    for number, frame in enumerate(_frames(blocks)):
        level_db = 10 * np.log10(float(np.mean(np.square(frame))) + 1e-12)
        # The floor falls at once and rises slowly: the quietest of the last while.
        floor_db = level_db if not known else min(level_db, floor_db + _FLOOR_RISE_DB)
        known = True
        loud = level_db > max(_SILENT_DBFS, floor_db + _ABOVE_NOISE_DB)
        if loud and not speaking:
            speaking, first, quiet = True, max(0, number - min(margin, len(frames))), 0
            frames = frames[-margin:]
        if speaking:
            quiet = 0 if loud else quiet + 1
        frames.append(frame)
        if not speaking:
            frames = frames[-margin:]
        elif quiet >= pause or len(frames) >= longest:
            piece = _piece(first, frames if quiet < pause else frames[: len(frames) - quiet + margin])
            if piece is not None:
                yield piece
            # In one breath longer than a piece may be, the next one goes on at once.
            speaking, first, frames = quiet < pause, number + 1, []
            quiet = 0
    if speaking:
        piece = _piece(first, frames)
        if piece is not None:
            yield piece


def _piece(first: int, frames: list[NDArray[np.float32]]) -> Piece | None:
    if len(frames) * _FRAME < _SHORTEST_S * HEARING_RATE_HZ:
        return None
    return Piece(first * _FRAME / HEARING_RATE_HZ, np.concatenate(frames))


def _frames(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """The blocks in frames of 20 ms; what is left over at the end is filled up with silence."""
    rest = np.zeros(0, dtype=np.float32)
    for block in blocks:
        joined = np.concatenate((rest, block))
        whole = len(joined) // _FRAME * _FRAME
        yield from joined[:whole].reshape(-1, _FRAME)
        rest = joined[whole:]
    if len(rest):
        yield np.pad(rest, (0, _FRAME - len(rest)))
