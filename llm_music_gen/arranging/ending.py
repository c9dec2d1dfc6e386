"""An ending that ends: the last bar's tonic chord, struck together and held until it dies away with the song."""

from __future__ import annotations

from fractions import Fraction

from llm_music_gen.arranging.bass import root_pitch
from llm_music_gen.arranging.harmony import tonic_triad
from llm_music_gen.arranging.melody import Sung, closing_pitch
from llm_music_gen.arranging.played import GridNote
from llm_music_gen.arranging.timeline import Bar
from llm_music_gen.arranging.voicing import Voicing
from llm_music_gen.domain.key import Key
from llm_music_gen.styles import Style
from llm_music_gen.units import SAMPLE_RATE_HZ, seconds_to_ql

#: The last moments are left to the release and the room.
_RELEASE_S = 0.9


def final_length_ql(last: Bar, length_frames: int, quarter_bpm: float) -> Fraction:
    """How long the last chord is held: to the end of the song less its release."""
    end_ql = seconds_to_ql(length_frames / SAMPLE_RATE_HZ - _RELEASE_S, quarter_bpm)
    return max(last.length_ql / 2, Fraction(round((end_ql - float(last.onset_ql)) * 64), 64))


def final_notes(
    last: Bar, key: Key, style: Style, voicing: Voicing, tune: list[Sung], bass_near: int, length_ql: Fraction
) -> dict[str, list[GridNote]]:
    """What each role plays on the last downbeat."""
    onset = last.onset_ql
    near = tune[-1].pitch if tune else sum(style.lead.compass) // 2
    bass = root_pitch(tonic_triad(key), bass_near, style.bass.compass)
    chord = [GridNote(onset, length_ql, pitch, 74) for pitch in voicing]
    return {
        "melody": [GridNote(onset, length_ql, closing_pitch(key, near, style.lead.compass), 82)],
        "chords": chord,
        "pad": [GridNote(onset, length_ql, pitch, 64) for pitch in voicing],
        "arp": [GridNote(onset, length_ql, voicing[0] + 12, 60)],
        "counter": [GridNote(onset, length_ql, closing_pitch(key, near - 9, style.lead.compass), 62)],
        "bass": [GridNote(onset, length_ql, bass, 90)],
        "sub": [GridNote(onset, length_ql, bass, 84)],
        "drums": [GridNote(onset, Fraction(1, 4), 36, 88)],
    }
