"""A voice over a track, from a text file to the finished files, through interruptions, and with what is not as it was."""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from llm_music_gen.domain.progress import Progress, finish
from llm_music_gen.errors import LibraryError, StorageError
from llm_music_gen.library.shelf import read_song
from llm_music_gen.sound.loudness import LoudnessMeter
from llm_music_gen.studio.long.make import make_long
from llm_music_gen.studio.long.narration import SPEECH_FILE
from llm_music_gen.studio.long.wish import unfinished_key
from llm_music_gen.studio.recipe import file_sha256, read_recipe
from llm_music_gen.studio.request import GenerateRequest, LongWords
from llm_music_gen.studio.upload import upload_of
from tests.reliability.track import KILLED, RATE, failure, flip, in_a_process, make_it, open_studio, short_pieces, track_in

LENGTH_S = 20
TEXT = "[0:02] Let your shoulders become heavy. And breathe.\n\n[0:13] All is well.\n"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    short_pieces(monkeypatch)


def request(text: Path | None, **changes: Any) -> GenerateRequest:
    """Layers alone, which are quickly rendered."""
    long = LongWords(layers="tone 528, pink", only_layers=True, upload_kit="no", narration=str(text or ""), **changes)
    return GenerateRequest.from_words("ambient", length=f"{LENGTH_S}s", seed=3, formats="mp3,flac", frequency="528", long=long)


def made(home: Path, wanted: GenerateRequest) -> tuple[Path, list[Progress]]:
    reports = []
    with open_studio(home) as studio, closing(studio.generate(wanted)) as work:
        for report in work:
            assert report.stage != "failed", report.message
            reports.append(report)
    [folder] = (home / "data" / "songs").iterdir()
    return folder, reports


def plan_in(home: Path, wanted: GenerateRequest) -> None:
    """A track that is planned and not begun."""
    with open_studio(home) as studio, closing(studio.generate(wanted)) as work:
        for report in work:
            if report.stage == "sound":
                break
    for entry in track_in(home).folder.glob("segment*"):
        entry.unlink()


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one narrated track that is planned and not begun."""
    home = tmp_path_factory.mktemp("narrated") / "home"
    text = tmp_path_factory.mktemp("text") / "text.txt"
    text.write_text(TEXT, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        short_pieces(patch)
        plan_in(home, request(text))
    text.unlink()  # the text is needed no more
    return home


@pytest.fixture(scope="module")
def finished(planned: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The track of a run that nothing interrupts: its folder, and the checksums of its files."""
    home = tmp_path_factory.mktemp("undisturbed") / "home"
    shutil.copytree(planned, home)
    with pytest.MonkeyPatch.context() as patch:
        short_pieces(patch)
        with open_studio(home) as studio:
            finish(studio.resume(studio.unfinished()[0]))
    [folder] = (home / "data" / "songs").iterdir()
    return folder, sums(folder)


def sums(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): file_sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def only_song(home: Path) -> dict[str, str]:
    [folder] = (home / "data" / "songs").iterdir()
    assert not list((home / "data" / "unfinished").iterdir()), "something was left behind"
    return sums(folder)


@pytest.fixture
def home(planned: Path, tmp_path: Path) -> Path:
    own = tmp_path / "own"
    shutil.copytree(planned, own)
    return own


def voice_of(folder: Path, frames: int) -> NDArray[np.float64]:
    """The voice at its places in the track, as its file and the recipe have it."""
    out = np.zeros(frames)
    speech, _ = soundfile.read(folder / SPEECH_FILE)
    offset = 0
    for span in json.loads((folder / "recipe.json").read_text(encoding="utf-8"))["narration"]["spans"]:
        first, stop = round(span["start_s"] * RATE), round(span["end_s"] * RATE)
        out[first:stop] = speech[offset : offset + stop - first]
        offset += stop - first
    assert offset == len(speech)
    return out


def test_the_music_gives_way_by_eleven_decibels_and_the_voice_stands_over_it(
    finished: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    folder, _ = finished
    alone, _ = made(tmp_path / "alone", request(None))
    assert "narration" not in json.loads((alone / "recipe.json").read_text(encoding="utf-8")), "its identity is as ever"
    assert not (alone / SPEECH_FILE).exists()
    mixed, _ = soundfile.read(next(folder.glob("*.flac")))
    music, _ = soundfile.read(next(alone.glob("*.flac")))
    voice = voice_of(folder, len(mixed))
    free = mixed[-2 * RATE - RATE // 2 : -RATE, 0] / music[-2 * RATE - RATE // 2 : -RATE, 0]
    gain = float(np.median(free))
    spans = read_recipe(folder).narration
    assert spans is not None and len(spans.spans) == 3
    for span in spans.spans:
        first, stop = round(span.start_s * RATE), round(span.end_s * RATE)
        parts = np.stack((voice[first:stop], music[first:stop, 0]), 1)
        level, down = np.linalg.lstsq(parts, mixed[first:stop, 0], rcond=None)[0]
        assert 20 * np.log10(down / gain) == pytest.approx(-11.0, abs=0.05)
    meters = LoudnessMeter(RATE, 1), LoudnessMeter(RATE, 1)
    for meter, sound in zip(meters, (voice[voice != 0.0] * level, music[:, 0] * gain), strict=True):
        meter.push(sound[:, None])
    over_lu = meters[0].result().integrated_lufs - meters[1].result().integrated_lufs
    assert -1.0 < over_lu < 2.0, "as loud as the music alone, and so 10 to 13 LU over the music that gives way"


def test_its_files_say_what_is_spoken_when_and_prove_themselves(finished: tuple[Path, dict[str, str]]) -> None:
    folder, _ = finished
    recipe = read_recipe(folder)
    assert recipe.narration is not None
    assert [span.text for span in recipe.narration.spans] == ["Let your shoulders become heavy.", "And breathe.", "All is well."]
    assert (recipe.narration.spans[0].start_s, recipe.narration.spans[2].start_s) == (2.0, 13.0)
    proof = json.loads((folder / "proof.json").read_text(encoding="utf-8"))
    assert proof["passes"], proof
    verdicts = {check["name"]: check["verdict"] for check in proof["checks"]}
    assert (verdicts["tonic"], verdicts["loudness"], verdicts["duration"]) == ("pass", "pass", "pass")
    srt, vtt = (next(folder.glob(f"*.{form}")).read_text(encoding="utf-8") for form in ("srt", "vtt"))
    assert srt.startswith("1\n00:00:02,000 --> ")
    assert "\n00:00:13.000 --> " in vtt and vtt.endswith("All is well.\n")
    assert {"srt", "vtt"} <= set(read_song(folder).files), "they are listed, and copied out with the sound"
    upload = upload_of(recipe)
    assert "spoken narration" in upload.layers
    assert any("eSpeak" in model.name for model in upload.models)


def make_until(home: Path, owner: str, name: str, calls: int) -> None:
    """Make the track until something was done so often, then end as if killed."""
    patch, left = pytest.MonkeyPatch(), iter(range(1, calls))
    module, _, inside = owner.partition(":")
    target: Any = getattr(import_module(module), inside) if inside else import_module(module)
    done = getattr(target, name)

    def counted(*arguments: Any) -> Any:
        result = done(*arguments)
        if next(left, None) is None:
            os._exit(KILLED)
        return result

    patch.setattr(target, name, counted)
    make_it(home)


@pytest.mark.parametrize(("owner", "name", "calls"), [
    ("llm_music_gen.sound.long.store:SegmentStore", "add", 3), ("llm_music_gen.sound.long.finish:", "_write_chunk", 2),
])  # fmt: skip
def test_killed_it_goes_on_to_the_same_bytes_without_speaking_again(
    home: Path, finished: tuple[Path, dict[str, str]], owner: str, name: str, calls: int
) -> None:
    process = in_a_process(make_until, home, owner, name, calls)
    process.join()
    assert process.exitcode == KILLED, "the moment was not reached"
    with open_studio(home) as studio:
        [outcome] = finish(studio.resume(studio.unfinished()[0]))
    assert outcome.song is not None, outcome.error
    assert only_song(home) == finished[1]


def test_a_voice_that_was_changed_or_lost_is_refused_until_it_is_back(home: Path, finished: tuple[Path, dict[str, str]]) -> None:
    track = track_in(home)
    kept = track.speech_path.read_bytes()
    flip(track.speech_path)
    with open_studio(home) as studio:
        assert "is not the one that was recorded" in failure(finish(studio.resume(track)))
        track.speech_path.unlink()
        with pytest.raises(StorageError, match="is gone"):
            finish(make_long(track, studio._long_workshop("")))
        track.speech_path.write_bytes(kept)
        finish(studio.resume(track))
    assert only_song(home) == finished[1]


def test_it_is_made_again_from_its_folder_but_not_from_its_recipe_alone(
    finished: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    folder, checksums = finished
    lonely = tmp_path / "recipe.json"
    shutil.copy(folder / "recipe.json", lonely)
    with open_studio(tmp_path / "again") as studio:
        with pytest.raises(LibraryError, match="not beside its recipe"):
            finish(studio.remake(lonely))
        [outcome] = finish(studio.remake(folder))
    assert outcome.song is not None, outcome.error
    again = sums(outcome.song.folder)
    audio = [name for name in checksums if name.endswith((".mp3", ".flac", ".srt"))]
    assert len(audio) == 4
    assert {name: again[name] for name in audio} == {name: checksums[name] for name in audio}


@pytest.mark.parametrize(("text", "words"), [
    ("[0:30] Too late.", r"takes 0:3\d with its pauses, but the track is 0:20 long"),
    ("[0:02] Much too long for this.\n[0:03] Is it not?", "before line 2 of the narration takes until"),
])  # fmt: skip
def test_what_does_not_fit_is_told_in_one_sentence_and_nothing_stays(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "text.txt"
    file.write_text(text, encoding="utf-8")
    with open_studio(tmp_path / "home") as studio:
        assert re.search(words, failure(finish(studio.generate(request(file)))))
        assert studio.unfinished() == ()
    assert not list((tmp_path / "home" / "data" / "unfinished").iterdir())


def test_its_length_is_said_before_the_plan_and_a_range_of_lengths_makes_room(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("[0:21] All is well.", encoding="utf-8")
    wanted = request(file).changed(length="10s-30s")
    said = []
    with open_studio(tmp_path / "home") as studio, closing(studio.generate(wanted)) as work:
        for report in work:
            if report.detail.get("note"):
                said.append(report.message)
            if report.stage == "sound":
                break
        [track] = studio.unfinished()
        assert 28.0 <= track.recipe().theme.length_frames / RATE <= 30.0
    assert said == ["The narration: 0:01 of speech in 1 sentence, from 0:21 to 0:22."]


def test_a_changed_text_is_another_track(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("One.", encoding="utf-8")
    wanted = request(file)
    assert GenerateRequest.from_dict(wanted.to_dict()) == wanted
    before = unfinished_key(wanted, 3)
    file.write_text("Two.", encoding="utf-8")
    assert unfinished_key(wanted, 3) != before


@pytest.mark.heavy
def test_two_processes_render_and_encode_the_same_bytes_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces of their usual size, which other processes know."""
    file = tmp_path / "text.txt"
    file.write_text(TEXT + "\n[1:58] Across two segments, and across two pieces of the MP3.\n", encoding="utf-8")
    monkeypatch.undo()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    first, second = tmp_path / "first", tmp_path / "second"
    plan_in(first, request(file).changed(length="131s"))
    shutil.copytree(first, second)
    for home, workers in ((first, 0), (second, 2)):
        monkeypatch.setattr("llm_music_gen.studio.studio.processor_count", lambda count=workers: count)
        with open_studio(home) as studio:
            finish(studio.resume(studio.unfinished()[0]))
    assert only_song(first) == only_song(second)


@pytest.mark.heavy
@pytest.mark.parametrize(("styles", "hz"), [("ambient, meditation", "528"), ("lofi", "432")])
def test_music_under_a_voice_proves_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, styles: str, hz: str) -> None:
    file = tmp_path / "text.txt"
    file.write_text(TEXT + "\n" + "Let your hands rest where they are. " * 6, encoding="utf-8")
    monkeypatch.setattr("llm_music_gen.studio.long.make._MOST_ROUNDS", 0)
    folder, _ = made(tmp_path / "home", replace(request(file), styles=tuple(styles.split(", ")), length="75s", frequency=hz,
                                                layers="", only_layers=False, formats=("mp3",)))  # fmt: skip
    proof = json.loads((folder / "proof.json").read_text(encoding="utf-8"))
    assert proof["passes"], proof
    verdicts = {check["name"]: check["verdict"] for check in proof["checks"]}
    assert verdicts["tonic"] == ("pass" if hz == "528" else verdicts["tonic"])
    assert (verdicts["loudness"], verdicts["true peak"]) == ("pass", "pass")
