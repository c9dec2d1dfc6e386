"""A download as a job of the queue: cancelled in the middle, tried again, and nothing comes twice."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from llm_music_gen.domain.job import JobState
from llm_music_gen.paths import studio_paths
from llm_music_gen.studio.getting import GetRequest
from llm_music_gen.studio.work_queue import open_queue
from tests.fakes.hub_server import running_hub

PATIENCE_S = 60.0
CONTENT = np.random.default_rng(3).bytes(200_000)
HALF = len(CONTENT) // 2


def test_a_cancelled_download_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    request = GetRequest("voice", "whisper-tiny.en")
    with running_hub({"ggerganov/whisper.cpp/ggml-tiny.en.bin": CONTENT}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        hub.break_after = [HALF, *[0] * 50]
        queue = open_queue(studio_paths())
        try:
            uid = queue.submit("get", request.title, request.to_dict())
            _wait(lambda: queue.job(uid).fraction > 0.4)
            assert "trying again" in queue.job(uid).message or hub.sent_bytes == HALF
            queue.cancel(uid)
            _wait(lambda: queue.job(uid).state is JobState.CANCELLED)
            folder = studio_paths().models_dir / "voices"
            assert (folder / "ggml-tiny.en.bin.part").stat().st_size == HALF
            assert not (folder / "ggml-tiny.en.bin").exists()
            hub.break_after.clear()
            queue.retry(uid)
            _wait(lambda: queue.job(uid).state.is_over and queue.job(uid).state is not JobState.CANCELLED)
            assert queue.job(uid).result == {"files": [str(folder / "ggml-tiny.en.bin")]}
            assert (folder / "ggml-tiny.en.bin").read_bytes() == CONTENT
            assert hub.sent_bytes == len(CONTENT)
        finally:
            queue.stop()
            queue.close()


def _wait(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never happened"
        time.sleep(0.05)
