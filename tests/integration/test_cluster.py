"""A real Dask cluster on 127.0.0.1: the same bytes as here, though two of its four workers are killed on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from llm_music_gen.domain.progress import Progress, finish
from llm_music_gen.paths import StudioPaths
from llm_music_gen.settings import Settings
from llm_music_gen.sound.long import store
from llm_music_gen.studio import studio as studio_module
from llm_music_gen.studio.cluster.joined import joined
from llm_music_gen.studio.plan import make_alone
from llm_music_gen.studio.request import GenerateRequest, LongWords
from llm_music_gen.studio.studio import Studio
from llm_music_gen.styles import load_styles
from tests.fakes.farm import Farm, farm

pytest.importorskip("distributed", reason='the extra "cluster" is not installed')
pytestmark = pytest.mark.heavy

SEGMENT_S, LENGTH_S = 2, 24
STYLES = cache(load_styles)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SEGMENT_FRAMES", SEGMENT_S * 44_100)
    monkeypatch.setattr(studio_module, "processor_count", lambda: 0)
    monkeypatch.setattr(studio_module, "load_styles", STYLES)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")


@pytest.fixture(scope="module")
def four_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """Two machines of two workers each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1767225600")
        with farm(tmp_path_factory.mktemp("scheduler")) as found:
            machines = [tmp_path_factory.mktemp("machine") for _ in range(2)]
            for number in range(4):
                found.add(machines[number % 2], segment_s=SEGMENT_S)
            yield found


def open_studio(home: Path) -> Studio:
    return Studio(StudioPaths(home / "data", home / "models"), Settings())


def checksums(home: Path) -> dict[str, str]:
    files = sorted(path for path in (home / "data" / "songs").rglob("*") if path.is_file())
    assert files
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# Music, whose workers each load a soundfont, is compared by `benchmarks/cluster.py` and, song by song, below.
def test_a_long_track_has_the_same_bytes_though_two_of_four_workers_are_killed(four_workers: Farm, tmp_path: Path) -> None:
    request = GenerateRequest.from_words(
        "ambient", length=f"{LENGTH_S}s", seed=3, formats="flac", long=LongWords(layers="rain, binaural 10-2", only_layers=True)
    )
    here, away = tmp_path / "here", tmp_path / "away"
    with open_studio(here) as studio:
        assert [outcome.error for outcome in finish(studio.generate(request))] == [""]
    reports: list[Progress] = []
    with open_studio(away) as studio, joined(studio, four_workers.address), closing(studio.generate(request)) as work:
        for report in work:
            reports.append(report)
            if len(four_workers.workers) == 4 and report.stage == "sound" and 0.1 < report.fraction < 0.9:
                four_workers.kill(2)
    assert len(four_workers.workers) == 2, "the workers were killed while segments were in work"
    assert reports[-1].stage == "finished"
    assert sum("is lost" in report.message for report in reports) in (1, 2), "a worker that never took part is not missed"
    assert checksums(away) == checksums(here)
    assert (away / "data" / "unfinished").is_dir() and not any((away / "data" / "unfinished").iterdir())


def test_a_song_made_there_is_the_one_that_is_made_here(four_workers: Farm, tmp_path: Path) -> None:
    request = GenerateRequest.from_words("Chill, Dubstep", length="10s", seed=7, formats="flac")
    here, away = tmp_path / "here", tmp_path / "away"
    with open_studio(away) as studio, joined(studio, four_workers.address):
        finish(make_alone(studio, request))
        [song] = studio.library.songs()
        assert song.length_s == 10.0
    with open_studio(here) as studio:
        finish(studio.generate(request))
    assert checksums(away) == checksums(here)
