"""A constraint simple enough to check by eye: bars of exactly so many letters, each closed by a bar line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import NotationError


class LetterBars:
    """`bars` times `letters` characters A to G and a `|`; tokens may span bars. A real `TokenConstraint`."""

    def __init__(self, pieces: Sequence[bytes], *, bars: int = 3, letters: int = 4) -> None:
        self._pieces = pieces
        self._period = letters + 1
        self._length = bars * self._period
        self._masks: dict[int, NDArray[np.bool_]] = {}
        self._candidates = [token for token, piece in enumerate(pieces) if piece and not piece.strip(b"ABCDEFG|")]
        self.written = b""

    def _fits(self, piece: bytes, start: int) -> bool:
        positions = range(start, start + len(piece))
        return (
            bool(piece)
            and start + len(piece) <= self._length
            and all(
                byte in (b"|" if position % self._period == self._period - 1 else b"ABCDEFG")
                for byte, position in zip(piece, positions, strict=True)
            )
        )

    def allowed(self) -> NDArray[np.bool_]:
        at = len(self.written)
        if at not in self._masks:
            mask = np.zeros(len(self._pieces), dtype=np.bool_)
            mask[[token for token in self._candidates if self._fits(self._pieces[token], at)]] = True
            self._masks[at] = mask
        return self._masks[at]

    def accept(self, token_id: int) -> None:
        if not self.allowed()[token_id]:
            raise NotationError(f"Token {token_id} does not belong here.")
        self.written += self._pieces[token_id]

    @property
    def finished(self) -> bool:
        return len(self.written) == self._length
