"""From words to finished files with the real engines and the built-in composer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llm_music_gen.__main__ import main
from llm_music_gen.arranging import arrange
from llm_music_gen.domain.progress import Progress, finish
from llm_music_gen.errors import StudioError
from llm_music_gen.paths import StudioPaths
from llm_music_gen.settings import Settings
from llm_music_gen.sound.decode import audio_info, measure_file
from llm_music_gen.studio.request import GenerateRequest
from llm_music_gen.studio.studio import Studio

STAGES = ("theme", "tune", "arrangement", "sound", "master", "convert", "files")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLM_MUSIC_GEN_HOME", str(tmp_path))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    return tmp_path


@pytest.fixture
def studio(home: Path) -> Iterator[Studio]:
    with Studio(StudioPaths(home / "data", home / "models"), Settings()) as opened:
        yield opened


def bytes_by_kind(folder: Path) -> dict[str, bytes]:
    """The files of a song's folder by their endings. What models were asked is not part of the song: a remake asks none."""
    return {path.suffix: path.read_bytes() for path in folder.iterdir() if path.suffix != ".jsonl"}


def song_folders(home: Path) -> list[Path]:
    """Everything that stands where songs stand, hidden or not."""
    return sorted((home / "data" / "songs").iterdir())


def test_a_song_in_every_format_has_exactly_the_length_asked_for(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["generate", "Chill, Dubstep", "--length", "12s", "--seed", "3", "--format", "mp3,wav,flac,opus", "--json"]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    [line] = printed.out.splitlines()
    facts: dict[str, Any] = json.loads(line)
    files = {kind: Path(path) for kind, path in facts["files"].items()}
    assert set(files) == {"mp3", "wav", "flac", "opus", "abc", "mid", "musicxml", "recipe"}
    assert (facts["frames"], facts["length_s"], facts["styles"], facts["seed"]) == (12 * 44_100, 12.0, ["Chill", "Dubstep"], 3)
    for kind in ("mp3", "wav", "flac"):
        assert audio_info(files[kind]).frames == 12 * 44_100, kind
    assert audio_info(files["opus"]).frames == 12 * 48_000
    for kind, ceiling_dbtp in (("mp3", -1.5), ("opus", -1.5), ("flac", -1.0), ("wav", -1.0)):
        measured = measure_file(files[kind])
        assert abs(measured.integrated_lufs + 14) <= 0.5, kind
        assert measured.true_peak_dbtp <= ceiling_dbtp, kind
    assert abs(facts["lufs"] + 14) <= 0.5
    assert 'Producing "Chill, Dubstep" themed song number 1...' in printed.err
    assert "Converting song number 1 from WAV to Mp3..." in printed.err
    assert [folder.name for folder in song_folders(home)] == [facts["title"]]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_song(home: Path) -> None:
    for seed in ("4", "4", "5"):
        assert main(["generate", "jazz", "--length", "10s", "--format", "wav", "--seed", seed]) == 0
    first, second, third = sorted((bytes_by_kind(folder) for folder in song_folders(home)), key=lambda files: files[".json"])
    same = [pair for pair in ((first, second), (second, third), (first, third)) if pair[0] == pair[1]]
    assert len(same) == 1
    different = next(pair for pair in ((first, second), (second, third)) if pair[0] != pair[1])
    assert all(different[0][kind] != different[1][kind] for kind in (".wav", ".abc", ".mid", ".musicxml"))


def test_a_song_can_be_made_again_byte_for_byte_from_its_recipe_alone(home: Path) -> None:
    assert main(["generate", "folk", "--length", "10s", "--format", "mp3,flac", "--key", "G"]) == 0
    [original] = song_folders(home)
    before = bytes_by_kind(original)
    recipe = home / "kept.json"
    shutil.copy(original / "recipe.json", recipe)
    shutil.rmtree(original)
    assert main(["remake", str(recipe)]) == 0
    [again] = song_folders(home)
    assert bytes_by_kind(again) == before


def test_songs_of_one_batch_differ_and_each_can_be_had_by_its_own_seed(studio: Studio, home: Path) -> None:
    request = GenerateRequest.from_words("house", songs=2, length="10s", seed=11, formats="flac")
    first, second = (outcome.song for outcome in finish(studio.generate(request)))
    assert first is not None
    assert second is not None
    assert first.title != second.title
    assert first.files["flac"].read_bytes() != second.files["flac"].read_bytes()
    alone = GenerateRequest.from_words("house", length="10s", seed=second.seed, formats="flac")
    [outcome] = finish(studio.generate(alone))
    assert outcome.song is not None
    assert outcome.song.files["mid"].read_bytes() == second.files["mid"].read_bytes()


@pytest.mark.parametrize("stage", STAGES)
def test_stopping_in_any_stage_keeps_what_is_finished_and_nothing_else(studio: Studio, home: Path, stage: str) -> None:
    request = GenerateRequest.from_words("ambient", songs=2, length="10s", seed=1, formats="mp3", output_dir=str(home / "out"))
    work = studio.generate(request)
    for report in work:
        if report.stage == stage and report.detail["song_number"] == 2:
            break
    with pytest.raises(KeyboardInterrupt):
        work.throw(KeyboardInterrupt())
    [song] = studio.library.songs()
    assert song_folders(home) == [song.folder]
    assert not song.missing
    assert len(list((home / "out").iterdir())) == 5


def test_a_song_that_fails_does_not_stop_the_next(studio: Studio, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[Progress] = []
    calls: list[int] = []

    def first_fails(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise StudioError("The band is ill.")
        return arrange(*arguments)

    monkeypatch.setattr("llm_music_gen.studio.band.arrange", first_fails)
    work = studio.generate(GenerateRequest.from_words("ambient", songs=2, length="10s", seed=1))
    while True:
        try:
            reports.append(next(work))
        except StopIteration as stop:
            failed, finished = stop.value
            break
    assert failed.error == "The band is ill."
    assert finished.song is not None
    assert [report.stage for report in reports if report.stage in ("failed", "finished")] == ["failed", "finished"]
    assert song_folders(home) == [finished.song.folder]


def wrong_inputs(home: Path) -> dict[str, list[str]]:
    """Name -> arguments of a `generate` that cannot work."""
    (home / "corrupt.gguf").write_bytes(b"GGUF" + bytes(100))
    (home / "noise.sf2").write_bytes(b"noise" * 100)
    (home / "file").write_text("in the way", encoding="utf-8")
    return {
        "no styles": [""],
        "no songs": ["Chill", "--songs", "0"],
        "too many songs": ["Chill", "--songs", "10000"],
        "length 0": ["Chill", "--length", "0"],
        "length -3": ["Chill", "--length=-3"],
        "length abc": ["Chill", "--length", "abc"],
        "length backwards": ["Chill", "--length", "6-4"],
        "length 99 hours": ["Chill", "--length", "99:00"],
        "unknown key": ["Chill", "--key", "H flat"],
        "metre": ["Chill", "--meter", "0/4"],
        "format": ["Chill", "--format", "ogg"],
        "missing model": ["Chill", "--model", str(home / "nowhere.gguf")],
        "corrupt model": ["Chill", "--model", str(home / "corrupt.gguf")],
        "missing soundfont": ["Chill", "--soundfont", str(home / "nowhere.sf2")],
        "no soundfont": ["Chill", "--soundfont", str(home / "noise.sf2")],
        "output is a file": ["Chill", "--output", str(home / "file" / "songs")],
        "bar longer than the song": ["Chill", "--length", "10s", "--tempo", "20"],
    }


@pytest.mark.parametrize("case", sorted(wrong_inputs(Path(__import__("tempfile").mkdtemp()))))
def test_bad_input_is_refused_in_one_sentence_and_leaves_nothing(
    home: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["generate", *wrong_inputs(home)[case]])
    complaint = capsys.readouterr()
    assert code in (1, 2)
    said = [line for line in (complaint.err + complaint.out).splitlines() if line.startswith("Llm-Music-Gen: ")]
    said = [line for line in said if "Producing" not in line]
    assert len(said) == 1, complaint
    assert "Traceback" not in complaint.err
    songs = home / "data" / "songs"
    assert not songs.exists() or list(songs.iterdir()) == []


def test_another_song_of_the_same_kind_has_its_styles_and_metre(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "waltz, dreamy", "--length", "12s", "--seed", "1"]) == 0
    capsys.readouterr()
    assert main(["like", "1", "--seed", "2", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["styles"] == ["waltz", "dreamy"]
    assert facts["meter"] == "3/4"
    assert 10 <= facts["length_s"] <= 14
    assert len(song_folders(home)) == 2


def test_a_recipe_whose_style_soundfont_or_computer_is_another_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "folk", "--length", "10s", "--seed", "1"]) == 0
    [folder] = song_folders(home)
    recipe = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    changed = home / "changed.json"
    changed.write_text(json.dumps({**recipe, "style_sha256": "0" * 64}), encoding="utf-8")
    assert main(["remake", str(changed)]) == 1
    assert "style sheets (folk) have changed" in capsys.readouterr().err
    changed.write_text(json.dumps({**recipe, "soundfont": {"name": "Other.sf2", "sha256": "0" * 64}}), encoding="utf-8")
    assert main(["remake", str(changed)]) == 1
    assert "Other.sf2" in capsys.readouterr().err
    changed.write_text(json.dumps({**recipe, "render_fingerprint": "0" * 64}), encoding="utf-8")
    assert main(["remake", str(changed)]) == 1
    assert "renders differently" in capsys.readouterr().err
    assert song_folders(home) == [folder]
    assert main(["remake", str(changed), "--anyway"]) == 0
    assert len(song_folders(home)) == 2


JIG = """X:1
T:Test Jig
M:6/8
L:1/8
Q:3/8=110
K:G
|:G3 GAB|A3 ABd|"D"edd gdd|"G"BAF G3:|
"""


def test_the_users_own_abc_is_played_as_it_is_beside_its_file(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "jig.abc"
    file.write_text(JIG, encoding="utf-8")
    assert main(["render", str(file), "--format", "wav", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["files"] == {"wav": str(home.resolve() / "jig.wav")}
    bars_s = 8 * 2 * 60 / 110
    assert bars_s < facts["length_s"] < bars_s + 5
    assert audio_info(home / "jig.wav").frames == facts["frames"]
    assert (facts["key"], facts["meter"], facts["tempo_bpm"]) == ("G", "6/8", 110.0)


def test_the_users_own_abc_is_arranged_filed_and_remade(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "jig.abc"
    file.write_text(JIG, encoding="utf-8")
    assert main(["render", str(file), "--style", "folk", "--seed", "1", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["title"] == "Test Jig"
    assert "G3GAB" in (home / "data" / "songs" / "Test Jig" / "Test Jig.abc").read_text(encoding="utf-8").replace(" ", "")
    before = bytes_by_kind(song_folders(home)[0])
    assert main(["remake", "Test Jig"]) == 0
    assert bytes_by_kind(song_folders(home)[1]) == before
    assert main(["render", facts["files"]["mid"], "--output", str(home / "out")]) == 0
    assert audio_info(home / "out" / "Test Jig.mp3").length_s > 10


@pytest.mark.parametrize("content", ["", "12345", "X:1\nK:C\n", "X:1\nM:0/4\nK:C\nabc|\n"])
def test_a_file_without_music_is_refused_in_one_sentence(home: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("bad.abc", "bad.mid"):
        (home / name).write_text(content, encoding="utf-8")
        assert main(["render", str(home / name)]) in (1, 2)
    complaints = capsys.readouterr().err.splitlines()
    assert len(complaints) == 2
    assert not list(home.glob("*.mp3"))
