"""R17: a night's worth of segments takes no more memory, handles or threads at its end than at its beginning."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.long_form import Chapter, HeldTone, LongScore
from llm_music_gen.sound.bed.layers import BedLayer
from llm_music_gen.sound.long import store
from llm_music_gen.sound.long.render import render_track
from llm_music_gen.sound.long.store import SegmentStore
from llm_music_gen.sound.long.track import Track
from llm_music_gen.sound.soundfonts import find_soundfont
from tests.reliability.figures import Figure
from tests.reliability.scale import FULL, scaled

RATE = 44_100
SEGMENT = RATE // 5
SEGMENTS = scaled(1_500, 60)


def track() -> Track:
    """Held tones and rain."""
    length_s = SEGMENTS * SEGMENT / RATE
    chapter = Chapter(0, 0.0, length_s, "One", Key("C", "major"), 0.3, 0.6)
    tones = tuple(HeldTone(at, 6.0, 132.0 + at, "pad", -26.0, 0.5, 0.5) for at in range(0, int(length_s), 4))
    return Track(
        LongScore(SEGMENTS * SEGMENT, (chapter,), tones, (), 1.0, 2.0), find_soundfont(None).path, (BedLayer("rain", -36.0, 2),)
    )


def resident_mb() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(sys.platform != "linux", reason="memory and handles are read from /proc")
def test_many_segments_take_no_more_memory_handles_or_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SEGMENT_FRAMES", SEGMENT)
    first: tuple[float, int, int] | None = None
    with closing(SegmentStore(tmp_path)) as opened:
        for number, _ in enumerate(render_track(track, opened, SEGMENTS * SEGMENT, 0)):
            state = resident_mb(), len(list(Path("/proc/self/fd").iterdir())), threading.active_count()
            if number == SEGMENTS // 6:  # by then everything that is loaded once is loaded
                first = state
    assert first is not None
    drift_mb, handles, threads = state[0] - first[0], state[1] - first[1], state[2] - first[2]
    measured = f"{drift_mb:+.1f} MB, {handles:+d} handles, {threads:+d} threads over {SEGMENTS} segments"
    holds = drift_mb < 20.0 and handles == 0 and threads == 0
    Figure("R17", "soak", "< 20 MB, 0 handles, 0 threads" + (", 1,000 segments" if FULL else ""), measured, holds).record()
