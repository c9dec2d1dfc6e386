"""Texts become files at the loudness of speech; files become texts and subtitles; nothing hostile gets through."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from llm_music_gen.domain.progress import finish
from llm_music_gen.errors import SoundError, StorageError, UsageError
from llm_music_gen.paths import StudioPaths
from llm_music_gen.processing.files import opened
from llm_music_gen.processing.measure import loudness_of
from llm_music_gen.settings import Settings
from llm_music_gen.studio import voice_room as room
from llm_music_gen.voice.ports import Heard

TEXT = "Good evening. Welcome to the studio, and thank you for listening.\n\nLet us begin with a calm breath."


@pytest.fixture
def paths(tmp_path: Path) -> StudioPaths:
    return StudioPaths(tmp_path / "data", tmp_path / "models")


def spoken(text: str, out: Path, paths: StudioPaths, voice: str = "", rate_wpm: int = 165) -> Path:
    return finish(room.speak_to_file(text, voice, rate_wpm, out, paths, Settings()))


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".opus"])
def test_a_spoken_file_has_the_loudness_of_speech_in_every_format(suffix: str, tmp_path: Path, paths: StudioPaths) -> None:
    out = spoken(TEXT, tmp_path / f"out{suffix}", paths)
    info = soundfile.info(str(out))
    assert (info.samplerate, info.channels) == (48_000 if suffix == ".opus" else 44_100, 2)
    loudness = loudness_of(opened(out).audio)
    assert loudness.integrated_lufs == pytest.approx(-16.0, abs=0.6)
    assert loudness.true_peak_dbtp <= -1.0
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_the_same_text_gives_the_same_samples_in_each_run_of_the_program() -> None:
    program = (
        "import hashlib; from llm_music_gen.voice.espeak import Espeak; s = Espeak();"
        "print(*(hashlib.sha256(s.speak('Good evening.', v, 165).samples).hexdigest() for v in ('nora', 'ian', 'whisper')))"
    )
    first, second = (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8", check=True).stdout
        for _ in range(2)
    )
    assert first == second
    assert len(set(first.split())) == 3


def test_paragraphs_are_further_apart_than_sentences() -> None:
    assert [(part, pause) for part, pause in room.sentences("One. Two!\n\nThree")] == [
        ("One.", 0.3),
        ("Two!", 0.8),
        ("Three", 0.8),
    ]
    long = list(room.sentences("word " * 1000))
    assert all(len(part) <= 500 for part, _ in long)
    assert " ".join(part for part, _ in long).split() == ["word"] * 1000


@pytest.mark.parametrize("text", ["", "   ", "\x00", "\n\n\t"])
def test_nothing_to_say_is_one_sentence_and_leaves_no_file(text: str, tmp_path: Path, paths: StudioPaths) -> None:
    with pytest.raises(UsageError, match="nothing"):
        spoken(text, tmp_path / "out.wav", paths)
    assert list(tmp_path.iterdir()) == []


def test_tags_and_control_characters_are_spoken_plainly(tmp_path: Path, paths: StudioPaths) -> None:
    """A tag must not steer the engine: what stands in it is read out, so that it takes longer, not five more seconds of pause."""
    plain = soundfile.info(str(spoken("Hello", tmp_path / "plain.wav", paths))).duration
    tagged = soundfile.info(str(spoken('Hello <break time="60s"/> \x00\x1b[31m', tmp_path / "tagged.wav", paths))).duration
    assert plain < tagged < plain + 15


def test_thousands_of_symbols_are_spoken_or_refused(tmp_path: Path, paths: StudioPaths) -> None:
    out = tmp_path / "out.wav"
    try:
        spoken("~^|\\{}[[@#%" * 200, out, paths, rate_wpm=400)
    except UsageError as error:
        assert "\n" not in str(error)
        assert not out.exists()
    else:
        assert soundfile.info(str(out)).frames > 44_100


@pytest.mark.parametrize("name", ["out.xyz", "out", "out.txt"])
def test_an_unknown_format_is_refused(name: str, tmp_path: Path, paths: StudioPaths) -> None:
    with pytest.raises(UsageError, match="format"):
        spoken("Hello", tmp_path / name, paths)


def test_a_missing_folder_and_an_unknown_voice_are_refused(tmp_path: Path, paths: StudioPaths) -> None:
    with pytest.raises(StorageError, match="does not exist"):
        spoken("Hello", tmp_path / "no" / "out.wav", paths)
    with pytest.raises(UsageError, match="no voice"):
        spoken("Hello", tmp_path / "out.wav", paths, "nobody")


def test_subtitles_have_their_formats() -> None:
    said = (Heard("good evening", 0.5, 2.25, 0.9), Heard("a <b> & c", 3661.0, 3662.0, 0.5))
    transcript = room.Transcript(Path("talk.wav"), "sphinx", 4000.0, said)
    assert transcript.written("text") == "good evening\na <b> & c\n"
    assert transcript.written("srt") == (
        "1\n00:00:00,500 --> 00:00:02,250\ngood evening\n\n2\n01:01:01,000 --> 01:01:02,000\na <b> & c\n"
    )
    assert transcript.written("vtt") == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.250\ngood evening\n\n01:01:01.000 --> 01:01:02.000\na &lt;b&gt; &amp; c\n"
    )
    assert room.Transcript(Path("x"), "sphinx", 1.0, ()).written("text") == ""
    with pytest.raises(UsageError, match="doc"):
        transcript.written("doc")


def test_transcripts_of_files_with_the_same_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    taken: set[Path] = set()
    names = [
        room.write_transcript(room.Transcript(Path(place) / "talk.wav", "sphinx", 1.0, ()), "srt", tmp_path, taken).name
        for place in ("a", "b")
    ]
    assert names == ["talk.srt", "talk (2).srt"]


def test_a_file_is_transcribed_with_times_in_order(tmp_path: Path, paths: StudioPaths) -> None:
    out = spoken("Good evening.\n\nThank you for listening.", tmp_path / "talk.wav", paths, "adam", 130)
    transcript = finish(room.transcribe_file(out, "sphinx", "", paths))
    times = [time for heard in transcript.heard for time in (heard.start_s, heard.stop_s)]
    assert len(transcript.heard) >= 2
    assert times == sorted(times)
    assert times[-1] <= transcript.length_s
    assert transcript.text.strip()


def test_a_spoken_command_in_a_file_is_understood(tmp_path: Path, paths: StudioPaths) -> None:
    assert room.command_in_file(spoken("list my songs", tmp_path / "c.wav", paths, "adam", 140)) == "list my songs"


def test_what_cannot_hear_says_why(tmp_path: Path, paths: StudioPaths) -> None:
    out = spoken("Hello", tmp_path / "talk.wav", paths)
    with pytest.raises(SoundError, match="Whisper model"):
        finish(room.transcribe_file(out, "whisper", "", paths))
    with pytest.raises(UsageError, match="English only"):
        finish(room.transcribe_file(out, "sphinx", "de", paths))
    with pytest.raises(UsageError, match="no engine"):
        finish(room.transcribe_file(out, "ears", "", paths))


@pytest.mark.parametrize("rate", ["79", "401", "fast", "", "²", "9" * 5000])
def test_absurd_rates_are_refused(rate: str) -> None:
    with pytest.raises(UsageError, match="rate of speech"):
        room.checked_rate(rate)
