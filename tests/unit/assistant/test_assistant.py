"""The assistant: chains tools, remembers, asks before it deletes, takes back, and touches nothing that was not named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from llm_music_gen.assistant.answer import Answer
from llm_music_gen.assistant.assistant import Assistant, Proposal
from llm_music_gen.assistant.catalogue import CATALOGUE
from llm_music_gen.domain.progress import Progress, finish
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import UsageError
from llm_music_gen.paths import StudioPaths
from llm_music_gen.requests import Situation
from llm_music_gen.settings import Settings, load_settings
from llm_music_gen.studio.studio import Studio
from llm_music_gen.tools.plan import Call, Plan, Registry

RATE = 44_100


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(StudioPaths(tmp_path / "home" / "data", tmp_path / "home" / "models"), Settings())


def tone(path: Path, level: float = 0.05) -> Path:
    times = np.arange(2 * RATE) / RATE
    soundfile.write(path, (level * np.sin(2 * np.pi * 440 * times)).astype(np.float32), RATE)
    return path


def shelved(studio: Studio, title: str) -> Song:
    """A song in the library whose sound is a tone."""
    folder = studio.paths.songs_dir / title
    folder.mkdir(parents=True)
    theme = {"title": title, "styles": ["chill"], "length_frames": 2 * RATE, "key": "Dm", "tempo_bpm": 80, "meter": "4/4"}
    recipe = {"theme": theme, "seed": 1, "model": {"name": "x"}, "created": "2026-01-01T00:00:00Z"}
    (folder / "recipe.json").write_text(json.dumps(recipe), encoding="utf-8")
    tone(folder / f"{title}.wav")
    (folder / f"{title}.abc").write_text("X:1\nT:t\nK:C\nCDEF|\n", encoding="utf-8")
    studio.library.rescan()
    return studio.library.find(title)


def done(assistant: Assistant, request: str) -> tuple[Answer, ...]:
    proposal = assistant.propose(request)
    assert proposal.ready, proposal
    return finish(assistant.carry_out(proposal))


def planning(*calls: Call) -> Any:
    """A planner that always says the same, as a model would that was talked into something."""

    def plan(_request: str, _at: Situation, _registry: Registry) -> Plan:
        return Plan(calls)

    return plan


def test_tools_in_a_row_work_on_each_others_results(studio: Studio, tmp_path: Path) -> None:
    assistant = Assistant(studio)
    assistant.open_file(tone(tmp_path / "take.wav"))
    first = done(assistant, "make it 6 dB louder and fade out the last second")
    assert len(first) == 1 and not first[0].failed, "one walk through the sound"
    (second,) = done(assistant, "make it mono")
    assert second.files[0].name == "take-processed-2.wav"
    louder = soundfile.read(first[0].files[0])[0]
    assert abs(louder[:RATE]).max() == pytest.approx(0.05 * 10 ** (6 / 20), rel=0.01)
    assert assistant.desk.file == second.files[0].absolute()
    assert [result["source"] for result in second.data["results"]] == [str(first[0].files[0].absolute())]


def test_a_conversation_goes_on_in_another_process(studio: Studio, tmp_path: Path) -> None:
    one = Assistant(studio)
    one.open_file(tone(tmp_path / "take.wav"))
    (answer,) = done(one, "make it 3 dB quieter")
    (again,) = done(Assistant(studio), "reverse it")
    assert again.data["results"][0]["source"] == str(answer.files[0].absolute())
    assert Assistant(studio, "another").desk.file is None


def test_undo_goes_back_turn_by_turn(studio: Studio, tmp_path: Path) -> None:
    assistant = Assistant(studio)
    original = tone(tmp_path / "take.wav")
    assistant.open_file(original)
    (first,) = done(assistant, "make it 3 dB quieter")
    done(assistant, "reverse it")
    done(assistant, "undo")
    assert assistant.desk.file == first.files[0].absolute()
    done(assistant, "undo")
    assert assistant.desk.file == original.absolute()
    (nothing,) = done(assistant, "undo")
    assert nothing.failed and "nothing" in nothing.text.lower()
    assert original.exists() and first.files[0].exists(), "nothing is destroyed"


def test_deleting_waits_for_a_yes_and_can_be_taken_back(studio: Studio) -> None:
    shelved(studio, "Night Rain")
    proposal = Assistant(studio).propose('delete the song "Night Rain"')
    assert "trash" in proposal.question and not proposal.ready
    assert studio.library.songs(), "it was only asked"
    assert Assistant(studio).propose("no").calls == ()
    assert Assistant(studio).propose("yes").calls == (), "a no clears what waited"
    Assistant(studio).propose('delete the song "Night Rain"')
    (gone,) = done(Assistant(studio), "yes")
    assert not gone.failed and not studio.library.songs()
    done(Assistant(studio), "undo")
    assert [song.title for song in studio.library.songs()] == ["Night Rain"]


def test_hours_of_work_are_asked_for(studio: Studio) -> None:
    assert Assistant(studio).propose("432 Hz meditation music for 8 hours").question
    assert not Assistant(studio).propose("432 Hz meditation music for 5 minutes").question


def test_an_answer_to_a_question_completes_what_was_asked(studio: Studio) -> None:
    assistant = Assistant(studio)
    proposal = assistant.propose("sacred frequency music 4 hours")
    assert [call.tool for call in proposal.calls] == ["ask"]
    completed = assistant.propose("528 Hz")
    assert completed.calls[0].tool == "frequency"
    assert completed.calls[0].args["base_hz"] == 528 and completed.calls[0].args["len_s"] == 14_400


def test_it_knows_the_last_song(studio: Studio) -> None:
    song = shelved(studio, "Night Rain")
    (answer,) = done(Assistant(studio), "show me the abc of the last song")
    assert "CDEF" in answer.text and answer.song == song.folder.name
    situation = Assistant(studio).desk.situation()
    assert (situation.last_song, situation.key, situation.tempo_bpm) == ("Night Rain", "Dm", 80)
    (louder,) = done(Assistant(studio), "make the last song 3 dB quieter")
    assert louder.files[0].parent == song.folder


def test_a_setting_is_changed_and_changed_back(studio: Studio) -> None:
    assistant = Assistant(studio, planner=planning(Call("set", {"key": "volume", "value": "40%"})))
    (answer,) = done(assistant, "volume")
    assert not answer.failed and load_settings(studio.paths.settings_file).volume_percent == 40
    done(Assistant(studio), "undo")
    assert load_settings(studio.paths.settings_file).volume_percent == 65
    unknown = Assistant(studio, planner=planning(Call("set", {"key": "volum", "value": "40"})))
    (refused,) = done(unknown, "volume")
    assert refused.failed and "volume_percent" in refused.text


def test_a_failing_tool_ends_the_rest_and_what_was_done_can_be_taken_back(studio: Studio, tmp_path: Path) -> None:
    calls = (Call("gain", {"db": -3.0}), Call("show_abc", {"from": "No Such Song"}), Call("play", {}))
    assistant = Assistant(studio, planner=planning(*calls))
    assistant.open_file(tone(tmp_path / "take.wav"))
    answers = done(assistant, "do it all")
    assert [answer.failed for answer in answers] == [False, True]
    (turn,) = Assistant(studio).memory.turns()
    assert [undo["kind"] for undo in turn.undo] == ["processed"]


def test_being_stopped_keeps_what_was_done(studio: Studio, tmp_path: Path) -> None:
    assistant = Assistant(studio, planner=planning(Call("gain", {"db": -3.0}), Call("play", {}), Call("reverse", {})))
    assistant.open_file(tone(tmp_path / "take.wav"))
    work = assistant.carry_out(assistant.propose("go on"))
    for report in work:
        if report.fraction > 0.67:
            break
    work.close()
    (turn,) = assistant.memory.turns()
    assert [answer["tool"] for answer in turn.answers] == ["gain", "play"]


def test_a_planner_that_was_talked_into_it_reaches_no_file_that_the_user_did_not_name(studio: Studio, tmp_path: Path) -> None:
    secret = tone(tmp_path / "secret.wav")
    named = tone(tmp_path / "mine.wav")
    calls = planning(Call("gain", {"db": 3.0, "files": [str(secret)]}))
    assistant = Assistant(studio, planner=calls)
    assistant.open_file(named)
    (answer,) = done(assistant, "read what is written in mine.wav and do what it says")
    assert answer.failed and "may touch" in answer.text
    assert sorted(path.name for path in tmp_path.glob("*.wav")) == ["mine.wav", "secret.wav"]
    (allowed,) = done(Assistant(studio, "other", planner=calls), f"make {secret} louder")
    assert not allowed.failed


@pytest.mark.parametrize(
    "name", ["file:/etc/passwd", "concat:a.wav|b.wav", "-i /etc/passwd", "$(touch x).wav", "a.wav; rm -rf ~", "\x00"]
)
def test_names_that_mean_something_to_others_are_just_names(studio: Studio, tmp_path: Path, name: str) -> None:
    assistant = Assistant(studio, planner=planning(Call("gain", {"db": 3.0, "files": [name]})))
    (answer,) = done(assistant, f"make {name} louder")
    assert answer.failed and "no file" in answer.text
    assert not list(Path.cwd().glob("x")) and not list(tmp_path.glob("*.wav"))


def test_folders_opened_to_it_are_the_only_ones(studio: Studio, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    tone(inside / "a.wav")
    outside = tone(tmp_path / "b.wav")
    assistant = Assistant(studio, roots=[inside])
    assistant.open_file(inside / "a.wav")
    with pytest.raises(UsageError, match="may touch"):
        assistant.open_file(outside)
    with pytest.raises(UsageError, match="may touch"):
        assistant.open_file(inside / ".." / "b.wav")
    (inside / "link.wav").symlink_to(outside)
    with pytest.raises(UsageError, match="may touch"):
        assistant.open_file(inside / "link.wav")


def test_progress_never_goes_back_and_is_plain_json(studio: Studio) -> None:
    work = Assistant(studio).carry_out(Proposal("", (Call("compose", {"style": ["lo-fi"], "len_s": 10.0, "n": 2}),), ""))
    reports: list[Progress] = list(work)
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions) and fractions[-1] > 0.9
    json.dumps([report.detail for report in reports])
    assert len(studio.library.songs()) == 2
    done(Assistant(studio), "undo")
    assert not studio.library.songs()


def test_a_song_is_edited_and_comes_back(studio: Studio) -> None:
    made = finish(
        Assistant(studio).carry_out(Proposal("", (Call("compose", {"style": ["chill"], "len_s": 10.0, "bpm": 80.0}),), ""))
    )
    (answer,) = done(Assistant(studio), "change the tempo of the last song to 96 bpm")
    assert not answer.failed and answer.tool == "edit", answer
    assert studio.library.songs()[-1].tempo_bpm == 96
    done(Assistant(studio), "undo")
    (song,) = studio.library.songs()
    assert song.tempo_bpm == 80 and made[0].song


#: Names that are fixed for every wire.
BINDING = (
    "gain normalize limit eq highpass lowpass denoise dehum declick deess compress reverb delay width enhance pan pitch "
    "pitch_correct retune tempo trim fade loop concat mix silence reverse saturate chorus tremolo bitcrush mono convert "
    "auto_gain auto_eq auto_compressor auto_limiter auto_reverb auto_delay auto_noise_reduction auto_enhancer "
    "auto_stereo_widener auto_pitch_corrector auto_time_stretcher compose frequency remake render_abc show_abc proof "
    "edit describe analyze history undo export_youtube play queue library job set speak transcribe"
)


def test_every_tool_has_a_schema_and_says_what_it_does() -> None:
    for name in BINDING.split():
        spec = CATALOGUE[name]
        assert spec.description, name
        schema = spec.json_schema()
        undocumented = [key for key, value in schema["properties"].items() if "description" not in value]
        assert not undocumented, (name, undocumented)


@pytest.mark.parametrize("said", ["60", "60 percent", "60%", "60 %"])
def test_a_settings_number_may_bring_its_unit(studio: Studio, said: str) -> None:
    done(Assistant(studio, planner=planning(Call("set", {"key": "volume", "value": said}))), "volume")
    assert studio.settings.volume_percent == 60
    (refused,) = done(Assistant(studio, planner=planning(Call("set", {"key": "volume", "value": "loud"}))), "volume")
    assert refused.failed and "no number" in refused.text
