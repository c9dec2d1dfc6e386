"""A long track as sound: any stretch of it can be rendered alone, and is the same whoever renders it, when and after what."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.long_form import HeldTone, LongScore, Piece
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import Arrangement, Intonation
from llm_music_gen.sound.bed.field import ToneField
from llm_music_gen.sound.bed.layers import BedLayer
from llm_music_gen.sound.bed.timbres import held
from llm_music_gen.sound.mix import BLOCK_FRAMES, HeldSound, mix_blocks
from llm_music_gen.sound.notes import NoteCache
from llm_music_gen.sound.spill import Spill
from llm_music_gen.sound.synth import FluidNoteSynth
from llm_music_gen.units import SAMPLE_RATE_HZ

#: Rooms and filters are filled this long before a stretch begins; what is heard of the rest is under -60 dB.
PREROLL_FRAMES = 8 * SAMPLE_RATE_HZ
_CACHE_BYTES = 16_000_000
_PIECES_KEPT = 2
_UNITY = np.ones(1, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Track:
    """Everything that sounds."""

    score: LongScore
    soundfont: Path
    layers: tuple[BedLayer, ...] = ()

    @property
    def frames(self) -> int:
        """Exact length."""
        return self.score.frames


@dataclass
class TrackPlayer:
    """Renders stretches of one track; keeps the synth and the notes it rendered."""

    track: Track
    spill_dir: Path | None = None
    """Where notes wait that do not fit into memory; None renders them again."""
    _spill: Spill[Any] | None = None
    _synths: dict[tuple[float, Intonation], FluidNoteSynth] = field(default_factory=dict)
    _caches: dict[tuple[float, Intonation, float], NoteCache] = field(default_factory=dict)
    _arranged: dict[int, Arrangement] = field(default_factory=dict)

    def __post_init__(self) -> None:
        score = self.track.score
        gain_db = score.levels_db.get("tones", 0.0)
        tones = [held(_turned(tone, gain_db)) for tone in score.tones]
        self._field = ToneField(tones)

    def close(self) -> None:
        """Free the synth and the notes on disk."""
        if self._spill is not None:
            self._spill.close()
            self._spill = None
        while self._synths:
            self._synths.popitem()[1].close()

    def stretch(self, first_frame: int, frames: int) -> NDArray[np.float32]:
        """Samples [first_frame, first_frame + frames) before the master, shape (frames, 2)."""
        score = self.track.score
        out = np.zeros((frames, 2), dtype=np.float32)
        together = len(score.pieces) == 1 and score.pieces[0].length_frames == score.frames
        if score.tones and not together:
            self._add(out, first_frame, 0, self._room, self._field)
        for number, piece in enumerate(score.pieces):
            if piece.start_frame < first_frame + frames and piece.start_frame + piece.length_frames > first_frame:
                held_too = self._field if together else None
                self._add(out, first_frame, piece.start_frame, self._arrangement(number, piece), held_too, number)
        # In blocks: curves and noise are worked out in double precision.
        for start in range(0, frames, BLOCK_FRAMES):
            block = out[start : start + BLOCK_FRAMES]
            block *= _fades(score, first_frame + start, len(block))
            for layer in self.track.layers:
                sound = layer.block(first_frame + start, len(block))
                if sound is not None:
                    block += sound
            block *= _edges(self.track.frames, first_frame + start, len(block))
        return out

    def _add(
        self,
        out: NDArray[np.float32],
        first_frame: int,
        start_frame: int,
        arrangement: Arrangement,
        held_too: HeldSound | None,
        number: int | None = None,
    ) -> None:
        """Add what an arrangement that starts at `start_frame` plays in the stretch that begins at `first_frame`."""
        begin = max(0, first_frame - start_frame)
        end = min(arrangement.length_frames, first_frame + len(out) - start_frame)
        at = begin - min(begin, PREROLL_FRAMES)
        blocks = mix_blocks(arrangement, self._cache(arrangement), first_frame=at, stop_frame=end, held=held_too, threaded=False)
        with closing(blocks) as source:
            for done, block in source:
                kept = block[max(0, begin - at) :]
                if len(kept):
                    place = start_frame + done - len(kept)
                    if number is not None:
                        kept = kept * _crossing(self.track.score, number, place - start_frame, len(kept))
                    out[place - first_frame : place - first_frame + len(kept)] += kept
                at = done

    @property
    def _room(self) -> Arrangement:
        """The room of held tones, without any player."""
        score = self.track.score
        first = score.chapters[0]
        return Arrangement(
            "", first.key, Meter(4, 4), 60.0, (), score.frames, first.a4_hz, intonation=first.intonation, mix=score.mix
        )

    def _arrangement(self, number: int, piece: Piece) -> Arrangement:
        if number not in self._arranged:
            while len(self._arranged) >= _PIECES_KEPT:
                self._arranged.pop(next(iter(self._arranged)))
            arrangement, gain_db = piece.arrange(), self.track.score.levels_db.get("band", 0.0)
            parts = tuple(replace(part, gain_db=part.gain_db + gain_db) for part in arrangement.parts)
            self._arranged[number] = replace(arrangement, parts=parts)
        return self._arranged[number]

    def _new_spill(self) -> Spill[Any] | None:
        """Notes of another tuning or tempo are of no use any more."""
        if self._spill is not None:
            self._spill.close()
        self._spill = Spill(self.spill_dir) if self.spill_dir is not None else None
        return self._spill

    def _cache(self, arrangement: Arrangement) -> NoteCache:
        a4_hz, intonation, bpm = arrangement.a4_hz, arrangement.intonation, arrangement.quarter_bpm
        if (a4_hz, intonation) not in self._synths:
            # One tuning after the other: a synth holds a whole soundfont in memory.
            self.close()
            self._caches.clear()
            self._synths[a4_hz, intonation] = FluidNoteSynth(self.track.soundfont, a4_hz, intonation)
        if (a4_hz, intonation, bpm) not in self._caches:
            self._caches.clear()
            synth = self._synths[a4_hz, intonation]
            self._caches[a4_hz, intonation, bpm] = NoteCache(
                synth, a4_hz, bpm, most_bytes=_CACHE_BYTES, intonation=intonation, spill=self._new_spill()
            )
        return self._caches[a4_hz, intonation, bpm]


def _turned(tone: HeldTone, gain_db: float) -> HeldTone:
    return replace(tone, level_db=tone.level_db + gain_db) if gain_db else tone


def _crossing(score: LongScore, number: int, first_frame: int, frames: int) -> NDArray[np.float32]:
    """Equal-power gain where a piece overlaps its neighbours, shape (frames, 1), or 1."""
    pieces, piece = score.pieces, score.pieces[number]
    before = pieces[number - 1].start_frame + pieces[number - 1].length_frames - piece.start_frame if number else 0
    after = piece.start_frame + piece.length_frames - pieces[number + 1].start_frame if number + 1 < len(pieces) else 0
    if (before <= 0 or first_frame >= before) and (after <= 0 or first_frame + frames <= piece.length_frames - after):
        return _UNITY
    at = first_frame + np.arange(frames)
    gain = np.ones(frames)
    if before > 0:
        gain *= np.sin(0.5 * np.pi * np.clip(at / before, 0.0, 1.0))
    if after > 0:
        gain *= np.sin(0.5 * np.pi * np.clip((piece.length_frames - at) / after, 0.0, 1.0))
    return np.asarray(gain[:, None], dtype=np.float32)


def _fades(score: LongScore, first_frame: int, frames: int) -> NDArray[np.float32]:
    """The music's own rise and fall, in dB by a smooth step from -34: soft, but there."""
    rise, fall = score.fade_in_s * SAMPLE_RATE_HZ, score.fade_out_s * SAMPLE_RATE_HZ
    if first_frame >= rise and first_frame + frames <= score.frames - fall:
        return _UNITY
    at = (first_frame + np.arange(frames)).astype(np.float64)
    x = np.minimum(np.clip(at / max(1.0, rise), 0.0, 1.0), np.clip((score.frames - at) / max(1.0, fall), 0.0, 1.0))
    gain = 10.0 ** (-1.7 * (1.0 - x * x * (3.0 - 2.0 * x)))
    return np.asarray(gain[:, None], dtype=np.float32)


def _edges(total: int, first_frame: int, frames: int) -> NDArray[np.float32]:
    """Everything comes and goes within a second, so that the first and the last sample are zero."""
    edge = min(SAMPLE_RATE_HZ, total // 20)
    if first_frame >= edge and first_frame + frames <= total - edge:
        return _UNITY
    at = first_frame + np.arange(frames)
    x = np.clip(np.minimum(at, total - 1 - at) / edge, 0.0, 1.0)
    return np.asarray((0.5 - 0.5 * np.cos(np.pi * x))[:, None], dtype=np.float32)
