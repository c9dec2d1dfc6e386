"""An ending that ends: the last bar's tonic chord, struck together and held until it dies away with the song."""

from __future__ import annotations

from fractions import Fraction

from llm_music_gen.arranging.bass import SUB_COMPASS, root_pitch
from llm_music_gen.arranging.drums import final_hit
from llm_music_gen.arranging.harmony import tonic_triad
from llm_music_gen.arranging.melody import Sung, closing_pitch
from llm_music_gen.arranging.played import GridNote
from llm_music_gen.arranging.timeline import Bar
from llm_music_gen.arranging.voicing import Voicing, voiced
from llm_music_gen.domain.key import Key
from llm_music_gen.styles import Style
from llm_music_gen.units import SAMPLE_RATE_HZ, seconds_to_ql

#: The last moments are left to the release and the room, which dry styles have little of.
_RELEASE_S = 0.6
_DRY_RELEASE_S = 0.4
_DRY_ROOM = 0.4

#: Roles that play the last chord in any case.
ALWAYS = frozenset(("melody", "chords", "bass"))


def final_length_ql(last: Bar, length_frames: int, quarter_bpm: float, style: Style) -> Fraction:
    """How long the last chord is held: to the end of the song less its release."""
    release_s = _DRY_RELEASE_S if style.mix.room_size < _DRY_ROOM else _RELEASE_S
    end_ql = seconds_to_ql(length_frames / SAMPLE_RATE_HZ - release_s, quarter_bpm)
    return max(last.length_ql / 2, Fraction(round((end_ql - float(last.onset_ql)) * 64), 64))


def final_notes(
    last: Bar, key: Key, style: Style, before: Voicing, tune: list[Sung], bass_near: int, length_ql: Fraction
) -> dict[str, list[GridNote]]:
    """What each role plays on the last downbeat: together the plain tonic triad over its root."""
    onset = last.onset_ql
    near = tune[-1].pitch if tune else sum(style.lead.compass) // 2
    triad = tonic_triad(key)
    bass = root_pitch(triad, bass_near, style.bass.compass)
    voicing = voiced(triad, before, style.comp.compass, 3, ("close",))
    third = next(pitch for pitch in voicing if pitch % 12 == (key.tonic_pc + (3 if key.is_minor else 4)) % 12)
    loud = 50 + round(32 * last.plan.energy)
    chord = [GridNote(onset, length_ql, pitch, loud) for pitch in voicing]
    closing = {
        "melody": [GridNote(onset, length_ql, closing_pitch(key, near, style.lead.compass), loud + 10)],
        "chords": chord,
        "pad": [GridNote(onset, length_ql, pitch, loud - 6) for pitch in voicing],
        "arp": [GridNote(onset, length_ql, voicing[0] + 12, loud - 8)],
        "counter": [GridNote(onset, length_ql, third + (12 if third + 12 <= style.lead.compass[1] - 3 else 0), loud - 8)],
        "bass": [GridNote(onset, length_ql, bass, loud + 14)],
        "sub": [GridNote(onset, length_ql, root_pitch(triad, bass - 12, SUB_COMPASS), loud + 8)],
        "drums": final_hit(last),
    }
    # Who has left before the end does not come back for it.
    return {role: notes for role, notes in closing.items() if role in ALWAYS or last.plays(role)}
