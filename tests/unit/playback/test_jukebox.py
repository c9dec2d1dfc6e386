"""The jukebox with real files and a player whose time passes by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from llm_music_gen.playback.jukebox import Jukebox
from llm_music_gen.playback.play_queue import Repeat
from llm_music_gen.playback.track import Track
from tests.fakes.silent_player import SilentPlayer
from tests.unit.playback.conftest import Evening, ToneMaker


def test_a_queue_plays_to_its_end_and_then_stops(evening: Evening) -> None:
    evening.jukebox.play_tracks(evening.tracks)
    evening.pass_time(5.0)
    assert evening.titles() == (["one", "two"], "three", ["four"])
    evening.pass_time(4.0)
    assert evening.titles() == (["one", "two", "three", "four"], "", [])
    assert not evening.jukebox.is_playing


def test_play_after_the_end_begins_again(evening: Evening) -> None:
    evening.jukebox.play_tracks(evening.tracks)
    evening.pass_time(9.0)
    evening.jukebox.toggle()
    assert evening.titles() == ([], "one", ["two", "three", "four"])
    assert evening.jukebox.is_playing


def test_pause_holds_the_place(evening: Evening) -> None:
    evening.jukebox.play_tracks(evening.tracks)
    evening.pass_time(1.0)
    evening.jukebox.toggle()
    place_s = evening.jukebox.position_s
    evening.pass_time(5.0)
    assert evening.jukebox.position_s == place_s == pytest.approx(1.0, abs=0.05)
    evening.jukebox.toggle()
    evening.pass_time(0.5)
    assert evening.jukebox.position_s == pytest.approx(1.5, abs=0.05)


def test_seeking_past_the_end_goes_to_the_next_track(evening: Evening) -> None:
    evening.jukebox.play_tracks(evening.tracks)
    evening.pass_time(0.5)
    evening.jukebox.seek_by(5.0)
    assert evening.titles()[1] == "two"
    assert evening.jukebox.is_playing


def test_seeking_before_the_beginning_goes_to_the_beginning(evening: Evening) -> None:
    evening.jukebox.play_tracks(evening.tracks)
    evening.pass_time(0.5)
    evening.jukebox.seek_by(-60.0)
    assert evening.jukebox.position_s == 0.0


def test_seeking_while_stopped_does_not_start(evening: Evening) -> None:
    evening.jukebox.play_tracks(evening.tracks)
    evening.jukebox.stop()
    evening.jukebox.seek_by(1.0)
    evening.jukebox.seek_fraction(0.5)
    evening.pass_time(1.0)
    assert not evening.jukebox.is_playing
    assert evening.jukebox.position_s == 0.0


def test_seeking_while_paused_moves_and_stays_paused(evening: Evening) -> None:
    evening.jukebox.play_tracks(evening.tracks)
    evening.jukebox.toggle()
    evening.jukebox.seek_fraction(0.5)
    assert evening.jukebox.position_s == pytest.approx(1.0, abs=0.01)
    assert not evening.jukebox.is_playing


def test_previous_begins_the_track_again_unless_it_has_just_begun(tone: ToneMaker) -> None:
    evening = Evening([Track(tone(f"{name}.wav", length_s=6), name, 6.0) for name in ("one", "two")])
    evening.jukebox.play_tracks(evening.tracks, first=1)
    evening.pass_time(4.0)
    evening.jukebox.previous()
    assert evening.titles()[1] == "two"
    assert evening.jukebox.position_s == 0.0
    evening.jukebox.previous()
    assert evening.titles() == ([], "one", ["two"])


def test_next_while_paused_chooses_and_stays_silent(evening: Evening) -> None:
    evening.jukebox.play_tracks(evening.tracks)
    evening.jukebox.toggle()
    evening.jukebox.next()
    evening.pass_time(1.0)
    assert evening.titles()[1] == "two"
    assert not evening.jukebox.is_playing
    evening.jukebox.toggle()
    assert evening.jukebox.is_playing


def test_repeat_one_plays_the_same_again_and_next_still_goes_on(evening: Evening) -> None:
    evening.jukebox.queue.repeat = Repeat.ONE
    evening.jukebox.play_tracks(evening.tracks)
    evening.pass_time(5.0)
    assert evening.titles()[1] == "one"
    evening.jukebox.next()
    assert evening.titles()[1] == "two"


def test_repeat_all_goes_round_and_nothing_comes_twice(evening: Evening) -> None:
    evening.jukebox.queue.repeat = Repeat.ALL
    evening.jukebox.play_tracks(evening.tracks)
    heard = []
    for _ in range(12):
        evening.pass_time(1.0)
        heard.append(evening.titles()[1])
        evening.pass_time(1.0)
    assert heard == ["one", "two", "three", "four"] * 3


def test_consecutive_tracks_join_without_a_gap(tone: ToneMaker) -> None:
    evening = Evening([Track(tone(f"{name}.wav", frequency_hz=441.0), name, 2.0) for name in ("one", "two")])
    evening.jukebox.play_tracks(evening.tracks)
    evening.pass_time(1.5)
    heard = evening.player.advance(1.0)[:, 0]
    # 441 Hz fits into two seconds exactly, so joined without a gap the sine goes on as if there were one file.
    expected = 0.5 * np.sin(2 * np.pi * 441.0 * (1.5 + np.arange(len(heard)) / 44100))
    assert np.abs(heard - expected).max() < 1e-3


def test_crossfade_overlaps_at_even_power(tone: ToneMaker) -> None:
    first = Track(tone("low.wav", length_s=3, frequency_hz=200), "low", 3.0)
    second = Track(tone("high.wav", length_s=3, frequency_hz=2000), "high", 3.0)
    evening = Evening([first, second])
    evening.jukebox.set_crossfade(1.0)
    evening.jukebox.play_tracks(evening.tracks)
    evening.pass_time(2.2)
    assert evening.titles()[1] == "high"
    middle = evening.player.advance(0.6)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)
    evening.pass_time(0.5)
    alone = np.abs(np.fft.rfft(evening.player.advance(0.5)[:, 0]))
    assert alone[100] < alone[1000] / 100


def test_volume_is_heard_on_a_cubic_scale(evening: Evening) -> None:
    evening.jukebox.set_volume(50)
    evening.jukebox.play_tracks(evening.tracks)
    evening.pass_time(0.5)
    assert np.abs(evening.player.advance(0.5)).max() == pytest.approx(0.5 * 0.5**3, rel=0.01)


def test_mute_silences_and_comes_back(evening: Evening) -> None:
    evening.jukebox.play_tracks(evening.tracks)
    evening.jukebox.toggle_mute()
    evening.pass_time(0.3)
    assert np.abs(evening.player.advance(0.1)).max() == 0.0
    evening.jukebox.toggle_mute()
    evening.pass_time(0.1)
    assert np.abs(evening.player.advance(0.1)).max() > 0.4


def test_the_sleep_timer_fades_and_stops(tone: ToneMaker) -> None:
    evening = Evening([Track(tone("long.wav", length_s=200), "long", 200.0)])
    evening.jukebox.play_tracks(evening.tracks)
    evening.jukebox.sleep.set(120.0)
    evening.pass_time(50.0)
    assert np.abs(evening.player.advance(0.1)).max() == pytest.approx(0.5, abs=0.01)
    evening.pass_time(40.0)
    assert 0.0 < np.abs(evening.player.advance(0.1)).max() < 0.2
    evening.pass_time(31.0)
    assert not evening.jukebox.is_playing
    assert evening.jukebox.sleep.left_s is None


def test_nothing_clicks_when_it_starts_pauses_seeks_or_stops(tone: ToneMaker) -> None:
    evening = Evening([Track(tone("low.wav", length_s=20, frequency_hz=50, level=0.9), "low", 20.0)])
    pieces = []
    evening.jukebox.play_tracks(evening.tracks)
    actions = [
        evening.jukebox.toggle, evening.jukebox.toggle, lambda: evening.jukebox.seek_to(7.003),
        lambda: evening.jukebox.set_volume(30), lambda: evening.jukebox.set_volume(90),
        evening.jukebox.toggle_mute, evening.jukebox.toggle_mute, evening.jukebox.stop,
    ]  # fmt: skip
    for action in actions:
        pieces.append(evening.player.advance(0.333))
        action()
    pieces.append(evening.player.advance(0.333))
    steps = np.abs(np.diff(np.concatenate(pieces)[:, 0]))
    steepest_of_the_wave = 0.9 * 2 * np.pi * 50 / 44100
    assert steps.max() < steepest_of_the_wave + 0.9 / 256


def test_a_file_that_cannot_be_played_is_passed_over_with_a_word(evening: Evening, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"this is not music")
    gone = Track(tmp_path / "gone.wav", "gone")
    evening.jukebox.play_tracks([Track(broken, "broken"), gone, evening.tracks[0]])
    assert evening.titles()[1] == "one"
    assert "gone.wav" in evening.jukebox.take_notice()
    assert evening.jukebox.take_notice() == ""


def test_a_broken_file_further_on_does_not_stop_the_music(evening: Evening, tmp_path: Path) -> None:
    evening.jukebox.play_tracks([evening.tracks[0], Track(tmp_path / "gone.wav", "gone"), evening.tracks[1]])
    evening.pass_time(3.0)
    assert evening.titles()[1] == "two"
    assert evening.jukebox.is_playing


def test_queue_place_and_habits_are_remembered(evening: Evening, tmp_path: Path) -> None:
    file = tmp_path / "data" / "jukebox.json"
    first = Evening(evening.tracks, file)
    first.jukebox.play_tracks(evening.tracks)
    first.jukebox.next()
    first.jukebox.toggle_favourite()
    first.jukebox.step_repeat()
    first.jukebox.set_crossfade(3.0)
    first.pass_time(0.5)
    first.jukebox.close()
    second = Evening([], file)
    assert second.titles() == (["one"], "two", ["three", "four"])
    assert second.jukebox.position_s == pytest.approx(0.5, abs=0.05)
    assert not second.jukebox.is_playing
    assert second.jukebox.favourites == {str(evening.tracks[1].path)}
    assert second.jukebox.queue.repeat is Repeat.ALL
    assert second.jukebox.crossfade_s == 3.0
    second.jukebox.toggle()
    assert second.jukebox.position_s == pytest.approx(0.5, abs=0.05)


def test_the_place_is_saved_while_it_plays(tone: ToneMaker, tmp_path: Path) -> None:
    file = tmp_path / "jukebox.json"
    evening = Evening([Track(tone("a.wav", length_s=20), "a", 20.0)], file)
    evening.jukebox.play_tracks(evening.tracks)
    evening.pass_time(11.0)
    again = Evening([], file)  # the first one was killed
    assert 4.0 < again.jukebox.position_s < 12.0


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1}', '{"schema": 9}', '{"schema": 1, "played": 3}', "[" * 100_000])
def test_a_damaged_memory_is_forgotten(text: str, tmp_path: Path) -> None:
    file = tmp_path / "jukebox.json"
    file.write_text(text, encoding="utf-8")
    assert Jukebox(SilentPlayer(), memory_file=file).queue.current is None


def test_files_that_have_gone_are_not_remembered(evening: Evening, tmp_path: Path) -> None:
    file = tmp_path / "jukebox.json"
    first = Evening(evening.tracks, file)
    first.jukebox.play_tracks(evening.tracks)
    first.jukebox.close()
    evening.tracks[0].path.unlink()
    evening.tracks[2].path.unlink()
    assert Evening([], file).titles() == ([], "two", ["four"])


def test_forgetting_the_playing_track_plays_the_next(evening: Evening) -> None:
    evening.jukebox.play_tracks(evening.tracks)
    evening.pass_time(0.5)
    evening.jukebox.forget(evening.tracks[0])
    assert evening.titles() == ([], "two", ["three", "four"])
    assert evening.jukebox.is_playing


def test_removing_what_comes_next_is_heard(evening: Evening) -> None:
    evening.jukebox.play_tracks(evening.tracks)
    evening.pass_time(1.0)
    evening.jukebox.queue.remove(0)
    evening.pass_time(1.5)
    assert evening.titles()[1] == "three"


def test_choosing_a_device_reaches_the_player(evening: Evening) -> None:
    assert evening.jukebox.devices()[0] == "System default"
    evening.jukebox.choose_device("Headphones")
    assert evening.player.device == "Headphones"


def test_the_spectrum_shows_where_the_sound_is(evening: Evening) -> None:
    assert evening.jukebox.levels(8) == (0.0,) * 8
    evening.jukebox.play_tracks(evening.tracks)
    evening.pass_time(1.0)
    levels = evening.jukebox.levels(16)
    # 440 Hz lies in the seventh of sixteen equal bands between 50 Hz and 14 kHz.
    assert levels.index(max(levels)) == 6
    assert all(0.0 <= level <= 1.0 for level in levels)
