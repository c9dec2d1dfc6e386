"""A melody that was written down, played by the studio itself, and heard again: the notes stay the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from llm_music_gen.domain.progress import finish
from llm_music_gen.paths import studio_paths
from llm_music_gen.settings import Settings
from llm_music_gen.studio.melody_room import Told, hear_melody, write_melody
from llm_music_gen.studio.request import RenderRequest
from llm_music_gen.studio.studio import Studio
from tests.unit.describing.some_melodies import RATE_HZ, TWINKLE, played, sung

pytestmark = pytest.mark.heavy


def test_what_was_sung_is_heard_again_from_the_studios_own_piano(tmp_path: Path) -> None:
    recording = tmp_path / "sung.wav"
    soundfile.write(recording, sung(played(TWINKLE, 110, jitter_s=0.02)).astype(np.float32), RATE_HZ)
    first = finish(hear_melody(recording))
    abc, _ = write_melody(first)
    with Studio(studio_paths(), Settings()) as studio:
        request = RenderRequest.from_words(abc, formats="wav", output_dir=str(tmp_path / "out"))
        (outcome,) = finish(studio.render_file(request))
    assert outcome.song is not None, outcome.error
    assert outcome.song.audio_file is not None
    again = finish(hear_melody(outcome.song.audio_file, Told(bpm=first.sheet.tempo_bpm)))
    pitches = [note.pitch for note in first.performance.notes]
    assert [note.pitch for note in again.performance.notes] == pitches
    assert [note.onset_ql for note in again.sheet.sections[0].notes] == [note.onset_ql for note in first.sheet.sections[0].notes]
    beat_s = 60 / first.sheet.tempo_bpm
    for heard, written in zip(again.performance.notes, first.sheet.sections[0].notes, strict=True):
        assert heard.start_s == pytest.approx(float(written.onset_ql) * beat_s, abs=0.05)
