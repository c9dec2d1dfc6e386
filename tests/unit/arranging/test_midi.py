"""MIDI files: what is written can be read back, and files of strangers are held in bounds."""

from __future__ import annotations

import io

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_music_gen.arranging import arrange, read_midi, write_midi
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import Arrangement
from llm_music_gen.errors import NotationError
from llm_music_gen.styles import load_styles
from tests.fakes.tunes import lead_sheet, theme_for

STYLES = load_styles()


def _song(style: str = "chill", key: str = "A minor", meter: str = "4/4", tempo_bpm: float = 91) -> Arrangement:
    rng = np.random.default_rng(4)
    theme = theme_for(Key.parse(key), Meter.parse(meter), tempo_bpm)
    return arrange(theme, lead_sheet(theme, rng), STYLES[style], rng)


def _read(data: bytes) -> mido.MidiFile:
    return mido.MidiFile(file=io.BytesIO(data))


@pytest.mark.parametrize(("meter", "tempo_bpm"), [("4/4", 91), ("6/8", 77), ("3/4", 133.3), ("7/8", 201)])
def test_tempo_and_metre_are_those_of_the_song(meter: str, tempo_bpm: float) -> None:
    song = _song(meter=meter, tempo_bpm=tempo_bpm)
    messages = [message for track in _read(write_midi(song)).tracks for message in track]
    assert [m.tempo for m in messages if m.type == "set_tempo"] == [round(60e6 / song.meter.quarter_bpm(tempo_bpm))]
    (sign,) = [m for m in messages if m.type == "time_signature"]
    assert f"{sign.numerator}/{sign.denominator}" == meter
    assert [m.key for m in messages if m.type == "key_signature"] == ["Am"]


def test_every_part_is_a_track_with_its_name_and_program() -> None:
    song = _song("house")
    file = _read(write_midi(song))
    assert file.type == 1
    assert [track.name for track in file.tracks[1:]] == [part.name for part in song.parts]
    for part, track in zip(song.parts, file.tracks[1:], strict=True):
        channels = {m.channel for m in track if not m.is_meta}
        assert len(channels) == 1
        assert (channels == {9}) == part.is_drums
        assert [m.program for m in track if m.type == "program_change"] == [part.program]
        assert {7, 10, 91} <= {m.control for m in track if m.type == "control_change"}
        assert sum(m.type == "note_on" and m.velocity > 0 for m in track) == len(part.notes)
    markers = [m.text for m in file.tracks[0] if m.type == "marker"]
    assert markers == [marker.name for marker in song.markers]


def test_every_note_that_begins_ends() -> None:
    for track in _read(write_midi(_song("drum and bass", tempo_bpm=174))).tracks:
        sounding: set[int] = set()
        for message in track:
            if message.type == "note_on" and message.velocity:
                assert message.note not in sounding
                sounding.add(message.note)
            elif message.type in ("note_on", "note_off"):
                sounding.discard(message.note)
        assert not sounding


def test_the_same_song_gives_the_same_bytes() -> None:
    assert write_midi(_song()) == write_midi(_song())


@pytest.mark.parametrize("style", ["chill", "jazz", "trance", "classical"])
def test_what_was_written_is_read_back(style: str) -> None:
    song = _song(style)
    again = read_midi(write_midi(song), "Again")
    assert again.title == "Again"
    assert (again.key.tonic_pc, again.meter) == (song.key.tonic_pc, song.meter)
    assert again.tempo_bpm == pytest.approx(song.tempo_bpm, rel=1e-5)
    assert sorted(len(part.notes) for part in again.parts) == sorted(len(part.notes) for part in song.parts)
    first = min(note.onset_ql for part in song.parts for note in part.notes)
    assert min(note.onset_ql for part in again.parts for note in part.notes) == pytest.approx(first, abs=0.01)


@pytest.mark.parametrize(
    "data", [b"", b"MThd", b"RIFF" * 40, b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x01\xe0MTrk\xff\xff\xff\xff"]
)
def test_what_is_no_midi_is_refused(data: bytes) -> None:
    with pytest.raises(NotationError):
        read_midi(data)


def test_a_file_without_notes_or_far_too_large_is_refused() -> None:
    file = mido.MidiFile()
    file.tracks.append(mido.MidiTrack())
    buffer = io.BytesIO()
    file.save(file=buffer)
    with pytest.raises(NotationError, match="no notes"):
        read_midi(buffer.getvalue())
    with pytest.raises(NotationError):
        read_midi(b"MThd" + bytes(9_000_000))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_files_are_read_or_refused_but_never_crash(data: st.DataObject) -> None:
    whole = bytearray(write_midi(_short()))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(10, len(whole)))
    try:
        song = read_midi(bytes(whole[:cut]))
    except NotationError:
        return
    assert song.length_frames > 0
    assert all(0 <= note.pitch <= 127 for part in song.parts for note in part.notes)


def _short() -> Arrangement:
    from llm_music_gen.domain.theme import SectionPlan

    rng = np.random.default_rng(0)
    theme = theme_for(Key("C"), Meter(4, 4), 120, (SectionPlan("A", "verse", 2, 0.5),))
    return arrange(theme, lead_sheet(theme, rng), STYLES["folk"], rng)
