"""R8 and R19: segments that decayed are found and rendered again; what another engine or soundfont rendered is never mixed in."""

from __future__ import annotations

import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llm_music_gen.domain.progress import finish
from llm_music_gen.errors import LibraryError, SoundError
from llm_music_gen.sound import mp3
from llm_music_gen.sound.long import store
from llm_music_gen.sound.long.render import render_track
from llm_music_gen.sound.long.store import SegmentStore
from llm_music_gen.studio.long import make
from llm_music_gen.studio.soundfont_facts import SoundfontFacts, soundfont_facts
from tests.reliability.figures import Figure
from tests.reliability.scale import scaled
from tests.reliability.test_killed import MOMENTS, killed_in_its_course
from tests.reliability.track import (
    KILLED,
    SEGMENT_S,
    checksums,
    failure,
    flip,
    fresh,
    in_a_process,
    open_studio,
    plan_in,
    resumed,
    track_in,
    workshop,
)  # fmt: skip
from tests.unit.sound.long import test_store_and_render as short_track

linux = pytest.mark.skipif(sys.platform != "linux", reason="the moment is found by /proc")


def killed_while_encoding(home: Path, nth: int = 2) -> Path:
    """The home with a track that was killed while it encoded: all segments are there."""
    process = in_a_process(killed_in_its_course, home, MOMENTS["before a chunk is renamed"], nth)
    process.join()
    assert process.exitcode == KILLED
    return home


@pytest.fixture
def begun(home: Path) -> Path:
    return killed_while_encoding(home)


@linux
def test_a_flipped_byte_is_found_in_every_segment(tmp_path: Path) -> None:
    count = scaled(100, 5)
    planned = plan_in(tmp_path / "planned", length=f"{count * SEGMENT_S}s")
    calm, home = tmp_path / "calm", tmp_path / "own"
    shutil.copytree(planned, calm)
    shutil.copytree(planned, home)
    wanted = resumed(calm)
    folder = track_in(killed_while_encoding(home)).folder
    chance, found = np.random.default_rng(3), 0
    for index in range(count):
        path = folder / store.segment_name(index)
        whole = path.read_bytes()
        flip(path, int(chance.integers(0, len(whole))))
        with closing(SegmentStore(folder)) as opened:
            found += opened.damaged(opened.rows()) == [index]
        if index < count - 1:
            path.write_bytes(whole)
    for index in range(count - 1):
        path = folder / store.segment_name(index)
        flip(path, int(chance.integers(0, path.stat().st_size)))
    with open_studio(home) as studio:
        [track] = studio.unfinished()
        messages = [report.message for report in studio.resume(track)]
    together = any(f"{count} damaged segments are rendered again" in message for message in messages)
    same = checksums(home) == wanted
    again = "all rendered again" if together else "not all rendered again"
    said = f"{found} of {count} found, {again}, {'the same' if same else 'another result'}"
    wanted_words = f"{count} of {count} found, all rendered again, the same"
    Figure("R8", "one flipped byte in each segment", wanted_words, said, said == wanted_words).record()


@linux
def test_a_segment_that_breaks_while_the_track_is_encoded_is_rendered_again(
    begun: Path, undisturbed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, untouched, broken = track_in(begun).folder, mp3.chunk_is_whole, list[int]()

    def breaking(*arguments: Any) -> bool:
        if not broken:
            broken.append(1)
            flip(folder / store.segment_name(4))
        return untouched(*arguments)

    monkeypatch.setattr("llm_music_gen.sound.long.finish.chunk_is_whole", breaking)
    assert resumed(begun) == undisturbed
    assert broken


@linux
def test_a_damaged_chunk_is_encoded_again(begun: Path, undisturbed: dict[str, str]) -> None:
    flip(min(track_in(begun).folder.glob("chunk-*")))
    assert resumed(begun) == undisturbed


@linux
@pytest.mark.parametrize(("changed", "error", "words"), [
    ("sha256", LibraryError, "The soundfont is another"), ("fingerprint", SoundError, "This computer renders differently"),
])  # fmt: skip
def test_another_soundfont_or_engine_is_refused_and_everything_rendered_anew_only_when_asked(
    home: Path, planned: Path, undisturbed: dict[str, str], monkeypatch: pytest.MonkeyPatch,
    changed: str, error: type[Exception], words: str,
) -> None:  # fmt: skip
    def other(*arguments: Any) -> SoundfontFacts:
        facts = soundfont_facts(*arguments)
        return SoundfontFacts(**{"sha256": facts.sha256, "fingerprint": facts.fingerprint, changed: "0" * 64})

    monkeypatch.setattr("llm_music_gen.studio.studio.soundfont_facts", other)
    audio = [name for name in undisturbed if name.endswith((".mp3", ".flac"))]
    refused = mixed = 0
    moments = [(moment, nth) for moment in ("after a segment's row is committed", "before a chunk is renamed") for nth in (1, 2)]
    for moment, nth in moments[:: scaled(1, 3)]:
        fresh(home, planned)
        process = in_a_process(killed_in_its_course, home, MOMENTS[moment], nth)
        process.join()
        track = track_in(home)
        before = {path.name: path.read_bytes() for path in track.folder.glob("segment-*")}
        with open_studio(home) as studio:
            sentence = failure(finish(studio.resume(track)))
            with pytest.raises(error, match=words):
                finish(make.make_long(track, workshop(home)))
        refused += words in sentence and "--anyway" in sentence
        assert before == {path.name: path.read_bytes() for path in track.folder.glob("segment-*")}
        with closing(SegmentStore(track.folder)) as opened:
            kept = set(opened.rows())
        seen: list[str] = []
        with open_studio(home) as studio:
            seen += [report.message for report in studio.resume(track, anyway=True) if report.stage == "sound"]
        mixed += bool(kept) and not any(message.startswith("0 of") for message in seen)
        # The engine is in truth the same, so what it renders anew must be.
        again = checksums(home)
        assert {name: again[name] for name in audio} == {name: undisturbed[name] for name in audio}
    said = f"{refused} asked, {mixed} mixed"
    wanted = f"{len(moments[:: scaled(1, 3)])} asked, 0 mixed"
    what = "resume with another soundfont" if changed == "sha256" else "resume on another engine"
    Figure("R19", what, wanted, said, said == wanted).record()


def test_a_soundfont_that_changes_amid_the_work_is_noticed_before_a_segment_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SEGMENT_FRAMES", short_track.SEGMENT)
    font = tmp_path / "font.sf2"
    font.write_bytes(b"one")
    check = make._unchanged(font)
    with closing(SegmentStore(tmp_path)) as opened:
        work = render_track(short_track.make_track, opened, short_track.FRAMES, 0, check)
        for report in work:
            if report.message.startswith("2 of"):
                break
        font.write_bytes(b"another")
        with pytest.raises(LibraryError, match="was changed while the track was rendered"):
            finish(work)
        counted = len(opened.rows())
    Figure("R19", "the soundfont changes amid the work", "no segment more", f"{counted - 2} more", counted == 2).record()
