"""Files described and measured as the studio offers it: any rate and channels, own songs, failures, a model's words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from llm_music_gen.describing.caption import caption
from llm_music_gen.describing.claims import faults
from llm_music_gen.describing.events import LABELS
from llm_music_gen.describing.facts import Soundscape, soundscape_of
from llm_music_gen.domain.progress import Progress, Work, finish
from llm_music_gen.errors import ModelError, UsageError
from llm_music_gen.llm.formats import Message
from llm_music_gen.llm.json_constraint import Shape
from llm_music_gen.paths import StudioPaths
from llm_music_gen.settings import Settings
from llm_music_gen.studio import describing_room as room
from llm_music_gen.studio.describing_report import draw, lines
from llm_music_gen.studio.describing_words import worded
from llm_music_gen.studio.event_ears import EventEars
from llm_music_gen.studio.long.record import ChapterRecord, LayerRecord, LongRecord
from llm_music_gen.studio.own_songs import song_facts_of
from llm_music_gen.studio.recipe import Recipe
from tests.unit.describing.some_facts import facts_drawn
from tests.unit.studio.test_recipe import DATA

RATE_HZ = 22_050


def sound_file(path: Path, length_s: float = 3.0, rate_hz: int = RATE_HZ, channels: int = 1, level: float = 0.1) -> Path:
    tone = level * np.sin(2 * np.pi * 432.0 * np.arange(round(length_s * rate_hz)) / rate_hz)
    soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), rate_hz, subtype="PCM_24")
    return path


def described(path: Path, **how: object) -> room.Description:
    return finish(room.describe_file(path, room.Describing(**how)))  # type: ignore[arg-type]


@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (44_100, 2), (48_000, 6)])
def test_any_rate_and_channels_are_described_alike(tmp_path: Path, rate_hz: int, channels: int) -> None:
    result = described(sound_file(tmp_path / "tone.wav", 2.5, rate_hz, channels))
    facts = result.facts
    assert facts.n5_sone == pytest.approx(9.44, rel=0.02)  # a little softer than 1 kHz at 74 dB, 10.6 sone
    assert facts.laeq_db == pytest.approx(94 - 20 - 4.3, abs=0.3)
    assert facts.tones[0].frequency_hz == pytest.approx(432.0, abs=0.05)
    assert "432.0 Hz" in result.caption and "LUFS" in result.caption
    json.dumps(result.as_json(), allow_nan=False)
    assert lines(result)


def test_the_calibration_moves_sone_and_not_lufs(tmp_path: Path) -> None:
    path = sound_file(tmp_path / "tone.wav")
    usual, louder = described(path), described(path, calibration_db=104.0)
    assert louder.facts.n5_sone == pytest.approx(2 * usual.facts.n5_sone, rel=0.1)
    assert louder.facts.lufs == usual.facts.lufs
    assert "104 dB" in louder.caption


def test_short_sounds_and_silence_have_a_description(tmp_path: Path) -> None:
    short = described(sound_file(tmp_path / "short.wav", 0.02))
    assert short.facts.length_s == pytest.approx(0.02, abs=1e-3) and short.caption
    silent = described(sound_file(tmp_path / "silent.wav", 1.0, level=0.0))
    assert silent.caption == "It is 1.0 s of silence, 0.0 sone." and silent.facts.affect is None
    json.dumps([short.as_json(), silent.as_json()], allow_nan=False)
    assert len(draw(silent, tmp_path)) == 2


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"this is no sound")
    work = room.describe_files([bad, sound_file(tmp_path / "tone.wav")], room.Describing())
    failed, good = finish(work)
    assert isinstance(failed, room.Undescribed) and "cannot be read" in failed.reason
    assert isinstance(good, room.Description)


def test_progress_never_goes_back(tmp_path: Path) -> None:
    files = [sound_file(tmp_path / name) for name in ("one.wav", "two.wav")]
    shares = [report.fraction for report in room.describe_files(files, room.Describing())]
    assert shares == sorted(shares) and shares[0] >= 0 and shares[-1] <= 1


def test_aspects_choose_what_is_told(tmp_path: Path) -> None:
    result = described(sound_file(tmp_path / "tone.wav"), aspects=("loudness", "iso12913"))
    assert set(result.as_json(("loudness", "iso12913"))) - {"notes"} == {"file", "loudness", "iso12913"}
    with pytest.raises(UsageError, match="no aspect 'colour'"):
        room.checked_aspects(["loudness,colour"])


def test_an_own_song_is_told_from_its_recipe(tmp_path: Path) -> None:
    recipe = Recipe.model_validate(DATA)
    (tmp_path / "recipe.json").write_text(recipe.to_json(), encoding="utf-8")
    path = sound_file(tmp_path / "song.wav", 13.0, 4_000)
    result = described(path)
    assert result.facts.own is not None
    assert result.caption.startswith('"Früher Fluss" is a Chill song of this studio, 13.0 s long, in D minor, 90 bpm, 4/4.')
    assert result.facts.soundscape is None and result.facts.tempo_bpm is None
    cut = described(sound_file(tmp_path / "cut.wav", 2.0, 4_000))
    assert cut.facts.own is None  # not what the recipe speaks of


def test_a_track_of_layers_is_told_by_its_layers(tmp_path: Path) -> None:
    layers = (
        LayerRecord(kind="binaural", level_db=-20, carrier_hz=200, beat_points=((0, 10), (60, 4))),
        LayerRecord(kind="pink", level_db=-30), LayerRecord(kind="rain", level_db=-30),
        LayerRecord(kind="tone", level_db=-20, carrier_hz=528),
    )  # fmt: skip
    chapter = ChapterRecord(name="I", start_s=0, length_s=13, key="C", depth=1, density=0, a4_hz=440, unit="1/8", sections=())
    long = LongRecord(calm="day", intonation="equal", chapters=(chapter,), layers=layers, music=False)
    recipe = Recipe.model_validate({**DATA, "sections": []} | {"long": long.model_dump()})
    own = song_facts_of(recipe, tmp_path)
    assert own.layers == ("a binaural beat of 4 to 10 Hz on 200 Hz", "pink noise", "rain", "a tone of 528 Hz")
    facts = replace(facts_drawn(1), own=own, soundscape=None)
    assert "13.0 s long" not in caption(facts) and "pink noise, rain and a tone of 528 Hz." in caption(facts)
    assert "D minor" not in caption(facts) and faults(caption(facts), facts) == []


def test_a_copied_song_is_known_by_its_name_and_size(tmp_path: Path) -> None:
    from llm_music_gen.library.catalogue import Library
    from llm_music_gen.library.shelf import read_song

    folder = tmp_path / "songs" / "frueher-fluss"
    folder.mkdir(parents=True)
    (folder / "recipe.json").write_text(Recipe.model_validate(DATA).to_json(), encoding="utf-8")
    original = sound_file(folder / "Früher Fluss.wav", 13.0, 4_000)
    library = Library(tmp_path / "index.sqlite", tmp_path / "songs", tmp_path / "trash")
    library.add(read_song(folder))
    copy = tmp_path / original.name
    copy.write_bytes(original.read_bytes())
    assert described(copy, library=library).facts.own is not None
    assert described(copy).facts.own is None


def test_analyze_measures_what_was_asked_for_under_its_names(tmp_path: Path) -> None:
    path = sound_file(tmp_path / "tone.wav", 12.0)
    everything = finish(room.analyze_file(path))
    assert set(room.METRICS) <= set(everything)
    some = finish(room.analyze_file(path, ("tonal_peaks", "lufs")))
    assert set(some) == {"tonal_peaks", "lufs"}
    assert some["tonal_peaks"][0]["hz"] == pytest.approx(432.0, abs=0.01)
    with pytest.raises(UsageError, match="no metric 'loudnes'"):
        room.checked_metrics(["loudnes"])


def test_settings_say_how_files_are_described(tmp_path: Path) -> None:
    paths = StudioPaths(tmp_path / "data", tmp_path / "models")
    how = room.describing_with(paths, Settings(calibration_db=100.0), None, ["caption"])
    assert (how.calibration_db, how.aspects, how.chat) == (100.0, ("caption",), None)
    assert how.ears is not None or "left out" in how.deaf
    deaf = room.describing_with(paths, Settings(event_model="none.onnx"), None)
    assert deaf.ears is None and "none.onnx" in deaf.deaf
    with pytest.raises(UsageError, match="cannot be 300 dB"):
        room.describing_with(paths, Settings(), None, calibration_db=300.0)
    with pytest.raises(ModelError):
        room.describing_with(paths, Settings(), None, model="no-such-model")
    lost = room.describing_with(paths, Settings(theme_model="no-such-model"), None)
    assert lost.chat is None and "studio's own" in lost.trouble


@dataclass
class ScriptedEars:
    """Hears what it is told to."""

    labels: dict[str, float]

    def listening(self, blocks: Iterable[NDArray[np.float32]], sample_rate_hz: int, length_s: float) -> Work[Soundscape]:
        heard_s = 0.0
        for block in blocks:
            heard_s += len(block) / sample_rate_hz
            yield Progress("events", min(1.0, heard_s / length_s))
        spans = [(label, 0.0, heard_s, sure) for label, sure in self.labels.items()]
        return soundscape_of(self.labels, {"park": 0.9, "street_traffic": 0.1}, spans, length_s)


def clicks(path: Path, bpm: float = 120.0) -> Path:
    """A beat with a chord of C major on it."""
    at = np.arange(10 * RATE_HZ) / RATE_HZ
    chord = sum(np.sin(2 * np.pi * hz * at) for hz in (130.8, 261.6, 329.6, 392.0, 523.3))
    soundfile.write(path, 0.05 * chord * np.exp(-8 * (at % (60 / bpm))), RATE_HZ)
    return path


def test_events_that_are_heard_are_told_and_let_music_have_a_tempo(tmp_path: Path) -> None:
    path = clicks(tmp_path / "clicks.wav")
    result = described(path, ears=ScriptedEars({"Bird": 0.9, "Music": 0.7, "Traffic": 0.2}))
    assert result.caption.startswith("This sounds like a park, with birds and probably music.")
    assert "120 bpm" in result.caption and not result.notes
    assert faults(result.caption, result.facts) == []
    whole = result.as_json()
    assert [event["label"] for event in whole["events"]] == ["Bird", "Music"] and whole["scene"]["name"] == "park"
    without_music = described(path, ears=ScriptedEars({"Bird": 0.9}))
    assert without_music.facts.tempo_bpm is None and "bpm" not in without_music.caption


class LoudIsMusic:
    """An event model that hears music in whatever is loud, and a street."""

    name = "loud is music"
    thresholds: ClassVar[dict[str, float]] = dict.fromkeys(LABELS, 0.5)

    def probabilities(self, log_mel: NDArray[np.float32]) -> NDArray[np.float32]:
        out = np.zeros((len(log_mel), len(LABELS) + 3), dtype=np.float32)
        out[:, LABELS.index("Music")] = log_mel.max(axis=(1, 2)) > -60
        out[:, LABELS.index("Traffic")] = 0.6
        out[:, -1] = 1.0
        return out


def test_an_event_model_is_listened_with(tmp_path: Path) -> None:
    result = described(sound_file(tmp_path / "tone.wav", 7.0), ears=EventEars(LoudIsMusic()))
    assert {event.label for event in result.facts.events} == {"Music", "Traffic", "Vehicle", "Sounds of things"}
    assert result.caption.startswith("This sounds like a street, with music and probably")
    assert faults(result.caption, result.facts) == []
    assert {label for label, *_ in result.facts.soundscape.spans} >= {"Music", "Traffic"} if result.facts.soundscape else False


def test_without_ears_it_is_said_that_events_are_left_out(tmp_path: Path) -> None:
    assert any("left out" in note for note in described(sound_file(tmp_path / "tone.wav")).notes)


@dataclass
class ScriptedChat:
    """Says what it is told to, and remembers what it was asked."""

    answers: list[str]
    asked: list[Sequence[Message]] = field(default_factory=list)
    name: str = "scripted"

    def answer(self, messages: Sequence[Message], shape: Shape, *, seed: int) -> str:
        self.asked.append(tuple(messages))
        answer = self.answers.pop(0)
        if answer == "fail":
            raise ModelError("it is gone.")
        return answer


def said(text: str) -> str:
    return json.dumps({"caption": text})


def test_a_model_may_word_the_facts() -> None:
    facts = facts_drawn(11)
    text = caption(facts).replace("It measures", "The meter shows")
    assert worded(facts, ScriptedChat([said(text)])) == (text, "scripted", "")


def test_a_described_file_says_who_worded_it(tmp_path: Path) -> None:
    path = sound_file(tmp_path / "tone.wav")
    plain = described(path)
    chat = ScriptedChat([said(plain.caption.replace("It measures", "The meter shows"))])
    result = described(path, chat=chat)
    assert result.caption.startswith("The meter shows") and result.as_json()["caption_by"] == "scripted"
    assert described(path, chat=chat, aspects=("loudness",)).written_by == "studio" and len(chat.asked) == 1


def test_words_that_say_more_are_sent_back_twice_at_most() -> None:
    facts = facts_drawn(11)
    invented = said(caption(facts) + " A dog barks at 77 Hz.")
    chat = ScriptedChat([invented, invented, said(caption(facts))])
    assert worded(facts, chat)[1] == "scripted"
    assert "dog" in chat.asked[1][-1].text and len(chat.asked) == 3
    stubborn = ScriptedChat([invented, "no JSON at all", invented, said(caption(facts))])
    text, by, trouble = worded(facts, stubborn)
    assert (text, by) == (caption(facts), "studio") and "not measured" in trouble
    assert len(stubborn.asked) == 3


def test_a_model_that_fails_leaves_the_studios_own_words() -> None:
    facts = facts_drawn(11)
    text, by, trouble = worded(facts, ScriptedChat(["fail"]))
    assert (text, by) == (caption(facts), "studio") and "did not answer" in trouble
