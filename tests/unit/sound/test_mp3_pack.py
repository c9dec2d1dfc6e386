"""Packing frames anew: nothing is lost, nothing reaches back further than allowed, and too few bytes are made up for."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_music_gen.errors import EncodingError
from llm_music_gen.sound.mp3_frames import BIT_RATES_KBPS, ChunkFrames, frame_bytes, frames_of
from llm_music_gen.sound.mp3_join import Joiner, find_join
from llm_music_gen.sound.mp3_pack import MOST_SAVED, needs, planned
from tests.unit.sound.mp3_reading import Frame, coded_sound, frames_in

CHUNK = 147
RUN_IN = 49
RUN_OUT = 60
#: Side information says of channel 0 and 1, granule 1: these bits stand for a short block (window_switching_flag, block_type 2).
SHORT_BLOCKS = tuple(20 + granule * 59 + 33 + bit for granule in (2, 3) for bit in (0, 1))


def chunk(index: int, sizes: list[int], kbps: int = 192, short: frozenset[int] = frozenset()) -> ChunkFrames:
    """Frames with coded sound of these sizes; `short`: places in the file of frames that end in short blocks."""
    first = max(0, index * CHUNK - RUN_IN)
    draw = np.random.default_rng(index)
    count = len(sizes)
    side = np.zeros((count, 256), dtype=np.uint8)
    for frame in short:
        if first <= frame < first + count:
            side[frame - first, list(SHORT_BLOCKS)] = 1
    heads = np.zeros((count, 36), dtype=np.uint8)
    padded = np.diff((first + np.arange(count + 1)) * 144_000 * kbps // 44_100) - frame_bytes(kbps)
    heads[:, :2] = (0xFF, 0xFB)
    heads[:, 2] = BIT_RATES_KBPS.index(kbps) << 4 | padded << 1
    heads[:, 4:] = np.packbits(side, axis=1)
    payload = draw.integers(0, 256, sum(sizes), dtype=np.uint8).tobytes()
    return ChunkFrames(index, kbps, first, heads, np.array(sizes, dtype=np.int64), payload)


def two_chunks(before: int, after: int, kbps: int = 192, short: frozenset[int] = frozenset()) -> list[ChunkFrames]:
    """Two chunks whose frames all have `before` and `after` bytes, each a possible stream of its own."""
    return [
        chunk(0, [before] * (CHUNK + RUN_OUT), kbps, short),
        chunk(1, [0] * 10 + [after] * (RUN_IN - 10 + CHUNK + RUN_OUT), kbps),
    ]


def joined(chunks: list[ChunkFrames]) -> tuple[list[Frame], bytes]:
    file = io.BytesIO()
    joiner = Joiner(file, chunks[0].kbps, CHUNK)
    for piece in chunks:
        joiner.push(piece)
    samples = (chunks[-1].end - 2) * 1_152
    assert frames_of(samples) == chunks[-1].end
    joiner.finish(samples, 3)
    return frames_in(file.getvalue())[1:], file.getvalue()


def sound_of(piece: ChunkFrames) -> list[bytes]:
    ends = np.cumsum(piece.sizes).tolist()
    return [piece.payload[end - size : end] for end, size in zip(ends, piece.sizes.tolist(), strict=True)]


def switch_of(frames: list[Frame], chunks: list[ChunkFrames]) -> int:
    """The frame from which on the second chunk is heard; every frame before and after must be whole and the right one."""
    before, after = chunks
    for place in range(after.first, before.end + 1):
        sizes = [*before.sizes[:place].tolist(), *after.sizes[place - after.first :].tolist()]
        wanted = [*sound_of(before)[:place], *sound_of(after)[place - after.first :]]
        try:
            found = coded_sound(frames, sizes)
        except AssertionError:
            continue
        if found == wanted:
            return place
    raise AssertionError("the frames are not those of the two chunks")


@settings(deadline=None, max_examples=60)
@given(
    kbps=st.sampled_from([64, 128, 192, 320]),
    steps=st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=40),
    swing=st.sampled_from([0.02, 0.2, 1.0]),
)
def test_every_frame_gets_its_own_sound_back_within_the_limits(kbps: int, steps: list[float], swing: float) -> None:
    room = frame_bytes(kbps) - 36
    sizes = []
    saved = 0
    for number in range(CHUNK + RUN_OUT):
        size = min(saved + room, max(0, round(room * (1 + swing * steps[number % len(steps)]))))
        saved = min(MOST_SAVED, saved + room - size)
        sizes.append(size)
    only = chunk(0, sizes, kbps)
    frames, _ = joined([only])
    assert coded_sound(frames, sizes) == sound_of(only)
    assert {frame.kbps for frame in frames} == {kbps}
    assert max(frame.main_data_begin for frame in frames) <= MOST_SAVED


def test_the_change_is_made_at_the_boundary_when_nothing_speaks_against_it() -> None:
    chunks = two_chunks(500, 550)
    frames, _ = joined(chunks)
    assert switch_of(frames, chunks) == CHUNK


def test_the_change_waits_for_frames_with_the_same_windows() -> None:
    chunks = two_chunks(500, 550, short=frozenset(range(CHUNK - 30, CHUNK + 4)))
    frames, _ = joined(chunks)
    assert switch_of(frames, chunks) == CHUNK + 5


def test_the_change_is_made_before_the_boundary_when_nothing_behind_it_will_do() -> None:
    chunks = two_chunks(500, 550, short=frozenset(range(CHUNK - 3, CHUNK + RUN_OUT)))
    frames, _ = joined(chunks)
    assert switch_of(frames, chunks) == CHUNK - 3


def test_differing_windows_are_put_up_with_rather_than_failing() -> None:
    chunks = two_chunks(500, 550, short=frozenset(range(CHUNK + RUN_OUT)))
    frames, _ = joined(chunks)
    assert switch_of(frames, chunks) == CHUNK


@pytest.mark.parametrize("kbps", [64, 96, 128, 192, 224, 256])
@pytest.mark.parametrize("missing", [1, 40, 110, 400])
def test_missing_bytes_come_from_higher_bit_rates_and_are_given_back(kbps: int, missing: int) -> None:
    full = chunk(0, [0] * (CHUNK + RUN_OUT), kbps).capacities()
    before = chunk(0, full.tolist(), kbps)  # nothing is ever saved
    hungry = chunk(1, [0] * (RUN_IN + CHUNK + RUN_OUT), kbps).capacities()
    hungry[:20] = 0
    hungry[RUN_IN + RUN_OUT + 5] += missing
    hungry[RUN_IN + RUN_OUT + 10 :] //= 2  # bytes to spare further on
    chunks = [before, chunk(1, hungry.tolist(), kbps)]
    assert needs(chunks[1])[RUN_IN - 25 : RUN_IN + RUN_OUT + 1].tolist() == [missing] * 86
    frames, _ = joined(chunks)
    assert switch_of(frames, chunks) == CHUNK
    rates = [frame.kbps for frame in frames]
    assert max(rates[CHUNK - 8 : CHUNK]) > kbps
    assert set(rates[: CHUNK - 8]) == {kbps} == {max(rates[CHUNK:])}
    drift = np.array([frame.place for frame in frames]) - frames[0].place - np.arange(len(frames)) * 144_000 * kbps // 44_100
    assert drift.min() >= -1
    assert drift.max() <= missing + 209, "no more than what is missing and the largest step between bit rates"
    step_down = frame_bytes(kbps) - frame_bytes(BIT_RATES_KBPS[BIT_RATES_KBPS.index(kbps) - 1])
    assert drift[-1] <= step_down, "what is left is less than a frame can give back"


def test_at_the_highest_bit_rate_what_cannot_fit_is_said() -> None:
    before = chunk(0, [1_008] * (CHUNK + RUN_OUT), 320)
    after = chunk(1, [0] * 20 + [1_008] * 95 + [1_500] + [1_000] * 140, 320)
    plan = planned(before, 0, 0)
    with pytest.raises(EncodingError, match="320 kbit/s"):
        find_join(before, after, plan, CHUNK, 0)


def test_chunks_without_common_frames_are_refused() -> None:
    before, after = chunk(0, [500] * (CHUNK - 40)), chunk(1, [500] * 200)
    with pytest.raises(EncodingError, match="does not follow"):
        find_join(before, after, planned(before, 0, 0), CHUNK, 0)
