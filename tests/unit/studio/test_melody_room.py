"""From a recording to ABC and MIDI: through the room, the command and the assistant's tool."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from llm_music_gen.arranging import read_midi
from llm_music_gen.assistant.assistant import Assistant
from llm_music_gen.cli.main import run
from llm_music_gen.domain.progress import finish
from llm_music_gen.errors import NotationError, SoundError, StorageError, UsageError
from llm_music_gen.notation.reader import read_abc
from llm_music_gen.paths import StudioPaths
from llm_music_gen.settings import Settings
from llm_music_gen.studio.melody_room import Told, hear_melody, write_melody
from llm_music_gen.studio.studio import Studio
from tests.unit.describing.some_melodies import RATE_HZ, TWINKLE, WALTZ, Samples, piano, played, whistled


def recorded(path: Path, sound: Samples) -> Path:
    soundfile.write(path, sound.astype(np.float32), RATE_HZ)
    return path


@pytest.fixture(scope="module")
def hummed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four bars, a fifth above C, 25 cents sharp, a little uneven."""
    return recorded(
        tmp_path_factory.mktemp("melody") / "hummed.wav", whistled(played(TWINKLE, 120, jitter_s=0.02, transposed=7), cents=25)
    )


def test_what_is_written_is_what_was_performed(hummed: Path, tmp_path: Path) -> None:
    melody = finish(hear_melody(hummed))
    assert melody.abc.splitlines()[4:] == [
        "M:4/4", "L:1/8", "Q:1/4=120", "P:A", "K:G", "P:A", "G2 G2 d2 d2|e2 e2 d4|c2 c2 B2 B2|A2 A2 G4|]",
    ]  # fmt: skip
    assert melody.performance.tuning_cents == pytest.approx(25, abs=4)
    abc, midi = write_melody(melody, tmp_path / "tune.abc")
    assert (abc.name, midi.name) == ("tune.abc", "tune.mid")
    assert read_abc(abc.read_text(encoding="utf-8")).sections[0].notes == melody.sheet.sections[0].notes
    (part,) = read_midi(midi.read_bytes()).parts
    assert [note.pitch for note in part.notes] == [note.pitch for note in melody.performance.notes]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tune.abc", "tune.mid"]


def test_what_the_user_knows_is_taken(hummed: Path) -> None:
    melody = finish(hear_melody(hummed, Told.from_words(60, "Em", "2/4")))
    assert (melody.sheet.tempo_bpm, melody.sheet.key.abc(), str(melody.sheet.meter)) == (60, "Em", "2/4")
    assert "Q:1/4=60" in melody.abc
    assert melody.sheet.sections[0].notes[0].duration_ql * 2 == 1


def test_flat_keys_are_spelled_with_flats(tmp_path: Path) -> None:
    path = recorded(tmp_path / "flat.wav", piano(played(WALTZ, 120, transposed=-4)))
    assert finish(hear_melody(path)).sheet.key.abc() == "Eb"


def test_nothing_is_overwritten_beside_the_recording(hummed: Path) -> None:
    melody = finish(hear_melody(hummed))
    first, second = write_melody(melody), write_melody(melody)
    assert [path.name for path in (*first, *second)] == ["hummed.abc", "hummed.mid", "hummed (2).abc", "hummed (2).mid"]
    with pytest.raises(UsageError, match="no name for ABC"):
        write_melody(melody, hummed)
    with pytest.raises(StorageError, match="cannot be written"):
        write_melody(melody, hummed.parent / "nowhere" / "tune.abc")


@pytest.mark.parametrize("kind", ["silence", "noise", "chords"])
def test_what_is_no_melody_is_one_sentence(kind: str, tmp_path: Path) -> None:
    if kind == "chords":
        notes = played(((48, 2), (50, 2), (48, 2)), 120)
        sound = np.sum([piano([type(n)(n.start_s, n.length_s, n.pitch + up) for n in notes]) for up in (0, 4, 7)], axis=0)
    else:
        sound = np.random.default_rng(0).normal(size=2 * RATE_HZ) * (0.1 if kind == "noise" else 0.0)
    with pytest.raises(SoundError, match=f"No melody of a single voice can be made out in {kind}.wav") as caught:
        finish(hear_melody(recorded(tmp_path / f"{kind}.wav", sound)))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("*.abc"))


def test_nonsense_that_is_told_is_refused() -> None:
    for bpm in (0, 1000, float("nan")):
        with pytest.raises(UsageError, match="cannot be counted"):
            Told.from_words(bpm)
    with pytest.raises(NotationError, match="not a key"):
        Told.from_words(key="H#")
    with pytest.raises(NotationError, match="not a metre"):
        Told.from_words(meter="4/5")


def test_the_command_prints_the_tune_and_every_note_as_json(
    hummed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tune.abc"
    assert run(["melody", str(hummed), "-o", str(out), "--bpm", "120"]) == 0
    printed = capsys.readouterr().out
    assert "G2 G2 d2 d2|" in printed and "14 notes in 4 bars, G major, 4/4, 120 BPM" in printed
    assert run(["melody", str(hummed), "-o", str(out), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["written"] == [str(out), str(out.with_suffix(".mid"))]
    assert len(facts["notes"]) == 14 and facts["sure"]
    assert facts["notes"][1]["start_s"] == pytest.approx(0.9, abs=0.06)
    assert run(["melody", str(tmp_path / "none.wav")]) == 1
    assert "does not exist" in capsys.readouterr().err


def test_the_assistant_writes_down_the_current_file_and_takes_it_back(hummed: Path, tmp_path: Path) -> None:
    path = recorded(tmp_path / "whistle.wav", soundfile.read(hummed)[0])
    with Studio(StudioPaths(tmp_path / "data", tmp_path / "models"), Settings()) as studio:
        assistant = Assistant(studio)
        assistant.open_file(path)
        for request in ("transcribe the melody i whistled", "undo that"):
            proposal = assistant.propose(request)
            assert proposal.ready, proposal
            (answer,) = finish(assistant.carry_out(proposal))
            there = (tmp_path / "whistle.abc").exists(), (tmp_path / "whistle.mid").exists()
            assert there == ((request != "undo that"),) * 2, answer.text
            assert not answer.failed


def test_the_file_that_a_request_names_is_the_one_that_is_heard(hummed: Path, tmp_path: Path) -> None:
    path = recorded(tmp_path / "take two.wav", soundfile.read(hummed)[0])
    with Studio(StudioPaths(tmp_path / "data", tmp_path / "models"), Settings()) as studio:
        assistant = Assistant(studio)
        assistant.open_file(recorded(tmp_path / "silent.wav", np.zeros(RATE_HZ)))
        (answer,) = finish(assistant.carry_out(assistant.propose('write down the melody i hummed in "take two.wav"')))
    assert not answer.failed, answer.text
    assert answer.files == (path.with_suffix(".abc"), path.with_suffix(".mid"))
