"""Human tunes from music21's own corpus, read by us and by music21."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

from llm_music_gen.notation.abc_file import write_abc
from llm_music_gen.notation.bars import check_bars
from llm_music_gen.notation.music21_port import read_abc_with_music21
from llm_music_gen.notation.reader import read_abc

#: What music21 reads in another way or not at all: repeats, voices, grace notes, fermatas, chords, remarks, e-mail coding.
NOT_COMPARED = re.compile(r':\||\|:|::|^V:|[{H"\[]|=\d', re.MULTILINE)


def corpus_tunes(collection: str, count: int) -> list[str]:
    """Tunes spread over a collection whose music both readers take alike."""
    import music21

    folder = Path(music21.__file__).parent / "corpus" / collection
    texts = "".join(path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.glob("*.abc")))
    tunes = [tune for tune in re.split(r"(?m)^(?=X:)", texts) if tune.startswith("X:") and "\nK:" in tune]
    plain = [tune for tune in tunes if not NOT_COMPARED.search(tune.split("\nK:", 1)[1])]
    return plain[:: max(1, len(plain) // count)][:count]


@pytest.mark.parametrize("collection", ["oneills1850", "ryansMammoth", "airdsAirs"])
def test_human_tunes_sound_the_same_to_both(collection: str) -> None:
    tunes = [tune for tune in corpus_tunes(collection, 12) if check_bars(tune).exact]
    assert len(tunes) >= 4
    for tune in tunes:
        sheet = read_abc(tune)
        ours = [note.pitch for label in sheet.order for note in sheet.section(label).notes]
        theirs = [pitch for _, _, pitch in read_abc_with_music21("%abc-2.1\n" + tune).notes[0]]
        assert ours == theirs
        written = write_abc(sheet)
        assert check_bars(written).exact
        assert sum(sum(part, Fraction(0)) for part in read_abc_with_music21(written).bar_lengths_ql) == sheet.meter.bar_ql * sum(
            section.bars for section in sheet.sections
        )
