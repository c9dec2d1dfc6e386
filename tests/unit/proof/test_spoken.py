"""Where somebody speaks over the music: a vowel is not taken for a note, and a tone that stands is measured through the voice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from llm_music_gen.proof import Promises, prove

RATE = 44_100
SPANS = ((2.0, 5.5), (10.0, 13.5), (18.0, 21.5), (26.0, 29.5))


def at_s() -> NDArray[np.float64]:
    return np.arange(30 * RATE) / RATE


def voice() -> NDArray[np.float64]:
    """A vowel that is held 12 cents over the tonic."""
    times_s, out = at_s(), np.zeros(30 * RATE)
    for start_s, end_s in SPANS:
        inside = np.clip(np.minimum(times_s - start_s, end_s - times_s) / 0.2, 0.0, 1.0)
        out += 0.3 * inside * np.sin(2 * np.pi * 432.0 * 2 ** (12 / 1200) * times_s)
    return out


def note(start_s: float) -> NDArray[np.float64]:
    times_s = at_s() - start_s
    inside = np.clip(np.minimum(times_s, 3.0 - times_s) / 0.1, 0.0, 1.0)
    return np.asarray(0.15 * inside * np.sin(2 * np.pi * 432.0 * at_s()))


def checked(samples: NDArray[np.float64], path: Path, spoken: tuple[tuple[float, float], ...]) -> tuple[str, float | None]:
    soundfile.write(path, np.stack((samples, samples), 1), RATE, subtype="PCM_24")
    promises = Promises(tonic_hz=432.0, tonic_tolerance_cents=1.0, spoken=spoken)
    assert Promises.from_dict(promises.to_dict()) == promises
    check = prove(path, promises).check("tonic")
    return check.verdict, check.measured if isinstance(check.measured, float) else None


def test_notes_are_measured_where_nobody_speaks(tmp_path: Path) -> None:
    samples = note(6.2) + note(14.2) + note(22.2) + voice()
    verdict, cents = checked(samples, tmp_path / "a.wav", SPANS)
    assert verdict == "pass" and cents is not None and abs(cents) < 0.2
    verdict, cents = checked(samples, tmp_path / "a.wav", ())
    assert verdict != "pass", "the vowels are longer and louder"


def test_where_there_is_nothing_but_a_voice_no_note_is_claimed(tmp_path: Path) -> None:
    assert checked(voice(), tmp_path / "a.wav", SPANS) == ("not measurable", None)
    assert checked(voice(), tmp_path / "a.wav", ())[0] == "fail"


def test_a_tone_that_stands_is_measured_through_the_voice(tmp_path: Path) -> None:
    tone = 0.02 * np.sin(2 * np.pi * 216.0 * at_s())
    verdict, cents = checked(tone + voice(), tmp_path / "a.wav", SPANS)
    assert verdict == "pass" and cents is not None and abs(cents) < 0.01


def test_proofs_of_other_songs_do_not_mention_it() -> None:
    assert "spoken" not in Promises().to_dict()
