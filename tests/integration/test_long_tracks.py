"""Tracks of hours, made short: from words to a proven file, and through every kind of interruption to the same bytes."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llm_music_gen.domain.progress import Progress, finish
from llm_music_gen.errors import LibraryError, SoundError, StorageError, UsageError
from llm_music_gen.paths import StudioPaths
from llm_music_gen.settings import Settings
from llm_music_gen.sound import mp3
from llm_music_gen.sound.decode import audio_info
from llm_music_gen.sound.long import finish as finishing
from llm_music_gen.sound.long import render, store
from llm_music_gen.studio import studio as studio_module
from llm_music_gen.studio.batch import Outcome
from llm_music_gen.studio.long import make
from llm_music_gen.studio.long.make import LongWorkshop, make_long
from llm_music_gen.studio.long.unfinished import Unfinished
from llm_music_gen.studio.request import GenerateRequest, LongWords
from llm_music_gen.studio.soundfont_facts import SoundfontFacts, soundfont_facts
from llm_music_gen.studio.studio import Studio
from llm_music_gen.styles import load_styles

RATE = 44_100
LENGTH_S, SEGMENT_S = 10, 2
KILLED = 9
#: The style sheets are read once, not twice a run.
STYLES = cache(load_styles)


def short_pieces(patch: pytest.MonkeyPatch) -> None:
    """Segments of two seconds and chunks of four, so that a short track has many; and one round of evening out."""
    patch.setattr(store, "SEGMENT_FRAMES", SEGMENT_S * RATE)
    patch.setattr(mp3, "CHUNK_FRAMES", 147)
    patch.setattr(make, "_MOST_ROUNDS", 1)
    patch.setattr(make, "MOST_RISE_LU", {"night": -9.0, "day": -9.0})
    patch.setattr(studio_module, "processor_count", lambda: 0)
    for module in ("studio", "long.score"):
        patch.setattr(f"llm_music_gen.studio.{module}.load_styles", STYLES)
    patch.setenv("SOURCE_DATE_EPOCH", "1767225600")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    short_pieces(monkeypatch)


def open_studio(home: Path) -> Studio:
    return Studio(StudioPaths(home / "data", home / "models"), Settings())


def request(**changes: Any) -> GenerateRequest:
    words: dict[str, Any] = {
        "length": f"{LENGTH_S}s", "seed": 3,
        "formats": "mp3,flac", "frequency": "528", "long": LongWords(layers="binaural 10-2"),
    }  # fmt: skip
    return GenerateRequest.from_words("ambient, meditation", **{**words, **changes})


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one track that is planned and not begun."""
    home = tmp_path_factory.mktemp("planned")
    with pytest.MonkeyPatch.context() as patch, open_studio(home) as studio:
        short_pieces(patch)
        with closing(studio.generate(request())) as work:
            for report in work:
                if report.stage == "sound":
                    break
        [track] = studio.unfinished()
        for entry in list(track.folder.iterdir()):
            if entry.suffix != ".json":
                entry.unlink()
    return home


@pytest.fixture(scope="module")
def undisturbed(planned: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Checksums of the files of a run that nothing interrupts."""
    home = tmp_path_factory.mktemp("undisturbed") / "home"
    shutil.copytree(planned, home)
    with pytest.MonkeyPatch.context() as patch:
        short_pieces(patch)
        return resumed(home)


@pytest.fixture
def home(planned: Path, tmp_path: Path) -> Path:
    """A home of the test's own with the planned track in it."""
    own = tmp_path / "own"
    shutil.copytree(planned, own)
    return own


def resumed(home: Path, *, anyway: bool = False) -> dict[str, str]:
    """The checksums of all files of the track, once it is finished."""
    with open_studio(home) as studio:
        [track] = studio.unfinished()
        [outcome] = finish(studio.resume(track, anyway=anyway))
        assert studio.unfinished() == ()
    assert outcome.song is not None, outcome.error
    return checksums(home)


def checksums(home: Path) -> dict[str, str]:
    [folder] = (home / "data" / "songs").iterdir()
    assert not list((home / "data" / "unfinished").iterdir()), "something was left behind"
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def track_of(home: Path) -> Unfinished:
    with open_studio(home) as studio:
        [track] = studio.unfinished()
    return track


def failure(outcomes: Sequence[Outcome]) -> str:
    """The sentence of the one song that failed."""
    [outcome] = outcomes
    assert outcome.song is None
    assert len(outcome.error.splitlines()) == 1
    return outcome.error


def test_words_become_a_track_with_chapters_that_proves_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "_MOST_ROUNDS", 0)
    with open_studio(tmp_path) as studio:
        reports: list[Progress] = []
        work = studio.generate(request(length="62s", formats="mp3", long=LongWords(layers="binaural 10-2, rain")))
        while True:
            try:
                reports.append(next(work))
            except StopIteration as stop:
                [outcome] = stop.value
                break
    song = outcome.song
    assert song is not None, outcome.error
    stages = list(dict.fromkeys(report.stage for report in reports))
    assert stages == ["theme", "tune", "sound", "master", "convert", "files", "finished"]
    wholes = [report.detail["whole"] for report in reports if "whole" in report.detail]
    assert wholes == sorted(wholes)
    assert wholes[-1] == pytest.approx(1.0)
    assert audio_info(song.files["mp3"]).frames == 62 * RATE
    proof = json.loads((song.folder / "proof.json").read_text(encoding="utf-8"))
    verdicts = {check["name"]: check["verdict"] for check in proof["checks"]}
    assert proof["passes"], proof
    assert (verdicts["tonic"], verdicts["beat"]) == ("pass", "pass")
    recipe = json.loads((song.folder / "recipe.json").read_text(encoding="utf-8"))
    assert len(recipe["long"]["chapters"]) == 3
    [listed] = song.folder.glob("* chapters.txt")
    lines = listed.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("0:00 ")
    assert [line.split(" ", 1)[1] for line in lines] == [chapter["name"] for chapter in recipe["long"]["chapters"]]


def test_a_track_is_made_again_from_its_recipe_byte_for_byte(home: Path, undisturbed: dict[str, str]) -> None:
    assert resumed(home) == undisturbed
    [folder] = (home / "data" / "songs").iterdir()
    kept = home / "kept.json"
    shutil.copy(folder / "recipe.json", kept)
    with open_studio(home) as studio:
        [outcome] = finish(studio.remake(kept))
    assert outcome.song is not None, outcome.error
    assert outcome.song.folder != folder, "the first one stays"
    for name in ("mp3", "flac"):
        original = next(path for path in folder.iterdir() if path.suffix == f".{name}")
        assert outcome.song.files[name].read_bytes() == original.read_bytes()


def crash_at(owner: Any, name: str, nth: int, after: bool) -> None:
    """From now on the process ends, as if killed, before or after the n-th call of a function."""
    function: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def counted(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth and not after:
            os._exit(KILLED)
        result = function(*arguments, **named)
        if calls == nth:
            os._exit(KILLED)
        return result

    setattr(owner, name, counted)


def workshop(home: Path) -> LongWorkshop:
    with open_studio(home) as studio:
        return studio._long_workshop("")


POINTS: dict[str, tuple[Any, str]] = {
    "rendering": (render, "make_segment"),
    "writing a segment": (render, "write_segment"),
    "renaming a segment": (store, "_replace"),
    "committing a segment": (store.SegmentStore, "add"),
    "forgetting a segment": (store.SegmentStore, "forget"),
    "planning softer events": (Unfinished, "plan"),
    "encoding a chunk": (finishing, "encode_chunk"),
    "writing a chunk": (finishing, "_write_chunk"),
    "joining the chunks": (finishing, "join_chunks"),
    "encoding a file": (make, "encode_track"),
    "writing tags": (make, "write_tags"),
    "renaming": (Path, "replace"),
    "measuring": (make, "measure_long_file"),
    "writing texts": (make, "write_text"),
    "proving": (make, "prove"),
    "moving into place": (make, "move_into_place"),
    "clearing up": (Unfinished, "throw_away"),
    "clearing up, file by file": (Path, "unlink"),
}


def make_until_killed(home: Path, point: str, nth: int, after: bool) -> None:
    """What the child process does."""
    patch = pytest.MonkeyPatch()
    short_pieces(patch)
    shop, track = workshop(home), track_of(home)
    if point:
        crash_at(*POINTS[point], nth, after)
    finish(make_long(track, shop))


def child(home: Path, point: str = "", nth: int = 1, after: bool = False) -> Any:
    # A forked child has everything imported already; where there is no fork it starts anew.
    context: Any = multiprocessing.get_context("spawn" if sys.platform == "win32" else "fork")
    process = context.Process(target=make_until_killed, args=(home, point, nth, after))
    process.start()
    return process


@pytest.mark.parametrize(
    ("point", "nth", "after"),
    [
        ("writing a segment", 2, True), ("committing a segment", 4, True), ("forgetting a segment", 2, True),
        ("planning softer events", 1, True), ("writing a chunk", 1, True), ("joining the chunks", 1, False),
        ("writing tags", 1, True), ("writing texts", 2, True), ("moving into place", 1, False), ("moving into place", 1, True),
        ("clearing up, file by file", 12, True),
    ],
)  # fmt: skip
def test_killed_at_a_named_point_it_goes_on_to_the_same_bytes(
    home: Path, undisturbed: dict[str, str], point: str, nth: int, after: bool
) -> None:
    process = child(home, point, nth, after)
    process.join()
    assert process.exitcode == KILLED, "the point was not reached"
    assert resumed(home) == undisturbed


@pytest.mark.heavy
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("point", sorted(POINTS))
def test_killed_before_or_after_every_named_point_again_and_again(
    home: Path, planned: Path, undisturbed: dict[str, str], point: str, after: bool
) -> None:
    for nth in (1, 2, 3, 5, 8, 13):
        process = child(home, point, nth, after)
        process.join()
        if process.exitcode != KILLED:  # so often it is not called in the rest of the work
            assert process.exitcode == 0
            break
        if not list((home / "data" / "unfinished").glob("*/recipe.json")):
            break
    assert (resumed(home) if list((home / "data" / "unfinished").iterdir()) else checksums(home)) == undisturbed


def killed_at_random(home: Path, planned: Path, undisturbed: dict[str, str], kills: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    started = time.monotonic()
    process = child(home)
    process.join()
    usual_s = time.monotonic() - started
    assert checksums(home) == undisturbed
    done = 0
    while done < kills:
        if not list((home / "data" / "unfinished").glob("*/recipe.json")):
            shutil.rmtree(home)
            shutil.copytree(planned, home)
        process = child(home)
        process.join(float(rng.uniform(0.0, 0.7 * usual_s)))
        if process.is_alive():
            process.kill()
            done += 1
        process.join()
        if not list((home / "data" / "unfinished").glob("*/recipe.json")):
            assert checksums(home) == undisturbed
    if list((home / "data" / "unfinished").glob("*/recipe.json")):
        assert resumed(home) == undisturbed


def test_killed_a_few_times_at_random_it_goes_on_to_the_same_bytes(
    home: Path, planned: Path, undisturbed: dict[str, str]
) -> None:
    killed_at_random(home, planned, undisturbed, 4, 1)


@pytest.mark.heavy
def test_killed_thirty_times_at_random_it_goes_on_to_the_same_bytes(
    home: Path, planned: Path, undisturbed: dict[str, str]
) -> None:
    killed_at_random(home, planned, undisturbed, 30, 2)


@pytest.fixture
def begun(home: Path) -> Path:
    """The home with a track that was killed while it encoded: all segments are there."""
    process = child(home, "encoding a chunk", 2, False)
    process.join()
    assert process.exitcode == KILLED
    return home


def test_a_flipped_byte_in_a_segment_is_found_and_the_segment_rendered_again(begun: Path, undisturbed: dict[str, str]) -> None:
    flip(track_of(begun).folder / store.segment_name(2))
    with open_studio(begun) as studio:
        [track] = studio.unfinished()
        messages = [report.message for report in studio.resume(track)]
    assert any("1 damaged segments are rendered again" in message for message in messages)
    assert checksums(begun) == undisturbed


def test_a_segment_that_breaks_while_the_track_is_encoded_is_rendered_again(
    begun: Path, undisturbed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = track_of(begun).folder
    untouched = mp3.chunk_is_whole
    broken: list[int] = []

    def breaking(*arguments: Any) -> bool:
        if not broken:
            broken.append(1)
            flip(folder / store.segment_name(4))
        return untouched(*arguments)

    monkeypatch.setattr("llm_music_gen.sound.long.finish.chunk_is_whole", breaking)
    assert resumed(begun) == undisturbed
    assert broken


def test_a_damaged_chunk_is_encoded_again(begun: Path, undisturbed: dict[str, str]) -> None:
    chunks = sorted(track_of(begun).folder.glob("chunk-*"))
    flip(chunks[0])
    assert resumed(begun) == undisturbed


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(("changed", "error", "words"), [
    ("sha256", LibraryError, "The soundfont is another"), ("fingerprint", SoundError, "This computer renders differently"),
])  # fmt: skip
def test_with_another_soundfont_or_engine_it_is_refused_and_rendered_anew_only_when_asked(
    begun: Path, undisturbed: dict[str, str], monkeypatch: pytest.MonkeyPatch, changed: str, error: type[Exception], words: str
) -> None:
    def other(*arguments: Any) -> SoundfontFacts:
        facts = soundfont_facts(*arguments)
        return SoundfontFacts(**{"sha256": facts.sha256, "fingerprint": facts.fingerprint, changed: "0" * 64})

    monkeypatch.setattr("llm_music_gen.studio.studio.soundfont_facts", other)
    track = track_of(begun)
    before = sorted(path.name for path in track.folder.iterdir())
    with open_studio(begun) as studio:
        sentence = failure(finish(studio.resume(track)))
        with pytest.raises(error, match=words):
            finish(make_long(track, studio._long_workshop("")))
    assert words in sentence
    assert "--anyway" in sentence
    assert {name for name in before if "segment-" in name} <= {path.name for path in track.folder.iterdir()}
    again = resumed(begun, anyway=True)
    audio = [name for name in undisturbed if name.endswith((".mp3", ".flac"))]
    # The engine is in truth the same, so what it renders anew must be.
    assert {name: again[name] for name in audio} == {name: undisturbed[name] for name in audio}


def test_without_room_it_says_what_is_missing_and_goes_on_later(
    begun: Path, undisturbed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(begun)
    with monkeypatch.context() as patch, open_studio(begun) as studio:
        patch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=1_000_000))
        sentence = failure(finish(studio.resume(track_of(begun))))
    assert "has 0.0 GB free, but the track needs 0.2 GB" in sentence
    assert not list((begun / "data").glob("songs/*"))
    assert resumed(begun) == undisturbed


@pytest.mark.parametrize("point", ["committing a segment", "writing a chunk", "writing texts"])
def test_a_disk_that_fills_up_costs_one_sentence_and_no_wrong_file(
    home: Path, undisturbed: dict[str, str], monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    def full(*arguments: Any, **named: Any) -> Any:
        raise StorageError("No space is left on the device.", hint="Free some space.")

    with monkeypatch.context() as patch, open_studio(home) as studio:
        patch.setattr(*POINTS[point], full)
        assert "No space is left" in failure(finish(studio.resume(track_of(home))))
    assert not list((home / "data").glob("songs/*"))
    assert resumed(home) == undisturbed


def test_two_processes_do_not_make_the_same_track(begun: Path, undisturbed: dict[str, str]) -> None:
    track = track_of(begun)
    with open_studio(begun) as studio:
        with Unfinished(track.folder).claimed():
            assert "Another process" in failure(finish(studio.resume(track)))
        assert studio.unfinished() == (track,)
    assert resumed(begun) == undisturbed


def test_a_song_s_recipe_in_the_folder_is_refused(begun: Path) -> None:
    track = track_of(begun)
    recipe = json.loads(track.recipe_path.read_text(encoding="utf-8"))
    del recipe["long"]
    track.recipe_path.write_text(json.dumps(recipe), encoding="utf-8")
    with open_studio(begun) as studio, pytest.raises(UsageError, match="not of a long track"):
        finish(make_long(track, studio._long_workshop("")))


def test_real_worker_processes_give_the_same_bytes(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Workers are started anew and know nothing of patches: segments and chunks have their usual length on both sides.
    monkeypatch.undo()
    monkeypatch.setattr(make, "_MOST_ROUNDS", 0)
    other = tmp_path / "other"
    shutil.copytree(home, other)
    found = []
    for place, workers in ((home, 0), (other, 2)):
        shop = workshop(place)
        shop = LongWorkshop(shop.songs_dir, shop.styles, shop.styles_dir, shop.soundfont, shop.soundfont_facts, workers)
        finish(make_long(track_of(place), shop))
        found.append(checksums(place))
    assert found[0] == found[1]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of three megabytes, where the system lets us have one."""
    import subprocess

    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mount")
    if (
        not mounted
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True).returncode
    ):
        pytest.skip("no disk of our own can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_really_fills_up_leaves_nothing_wrong(
    planned: Path, undisturbed: dict[str, str], tiny_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tiny_disk / "home"
    shutil.copytree(planned, home)
    monkeypatch.setattr(make, "check_space", lambda folder, needed: None)
    ballast = tiny_disk / "ballast"
    free = shutil.disk_usage(tiny_disk).free
    sentences = []
    for left in (300_000, 900_000, 1_500_000, 1_900_000):
        ballast.write_bytes(bytes(max(0, free - left)))
        with open_studio(home) as studio:
            tracks = studio.unfinished()
            if not tracks:
                break
            [outcome] = finish(studio.resume(tracks[0]))
        if outcome.song is None:
            sentences.append(outcome.error)
            assert not list((home / "data").glob("songs/*"))
        ballast.unlink()
        free = shutil.disk_usage(tiny_disk).free
    assert sentences
    assert all(len(sentence.splitlines()) == 1 for sentence in sentences)
    own = tmp_path / "roomy"
    shutil.copytree(home, own)
    assert (checksums(own) if not list((own / "data" / "unfinished").iterdir()) else resumed(own)) == undisturbed
