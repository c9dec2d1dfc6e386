"""Lead sheets in compressed MusicXML become exact sections with canonical chords."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from training.mxl_reader import Unreadable, infer_key, read_folder, read_musicxml
from training.score import body_text


def note(step: str, duration: int, extra: str = "", octave: int = 5) -> str:
    return f"<note><pitch><step>{step}</step><octave>{octave}</octave></pitch><duration>{duration}</duration>{extra}</note>"


def harmony(root: str, kind: str, alter: int = 0, bass: str = "") -> str:
    root_text = f"<root><root-step>{root}</root-step><root-alter>{alter}</root-alter></root>"
    bass_text = f"<bass><bass-step>{bass}</bass-step></bass>" if bass else ""
    return f"<harmony>{root_text}<kind>{kind}</kind>{bass_text}</harmony>"


def score(*measures: str, fifths: int = 0, beats: int = 4) -> bytes:
    attributes = (
        f"<attributes><divisions>6</divisions><key><fifths>{fifths}</fifths></key>"
        f"<time><beats>{beats}</beats><beat-type>4</beat-type></time></attributes>"
    )
    body = "".join(
        f'<measure number="{number}">{attributes if number == 1 else ""}{measure}</measure>'
        for number, measure in enumerate(measures, start=1)
    )
    return f'<score-partwise><work><work-title>T</work-title></work><part id="P1">{body}</part></score-partwise>'.encode()


def test_chords_get_canonical_names_and_stand_only_where_they_change() -> None:
    data = score(
        harmony("C", "major") + note("C", 24),
        harmony("C", "major") + note("D", 12) + harmony("B", "minor-seventh", alter=-1) + note("E", 12),
        harmony("G", "dominant", bass="B") + note("D", 24),
        harmony("C", "major-sixth") + note("C", 24),
    )
    assert body_text(read_musicxml(data), True) == 'P:A4\n"C"c8|d4"Bbm7"e4|"G7/B"d8|"C6"c8|\n'


def test_a_chord_inside_a_long_note_divides_it() -> None:
    shifted = harmony("F", "major").replace("</harmony>", "<offset>12</offset></harmony>")
    data = score(harmony("C", "major") + shifted + note("C", 24), harmony("C", "major") + note("C", 24))
    assert body_text(read_musicxml(data), True) == 'P:A2\n"C"c4-"F"c4|"C"c8|\n'


def test_a_long_short_triplet_becomes_tied_thirds() -> None:
    mark = "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes></time-modification>"
    data = score(harmony("C", "major") + note("C", 4, mark) + note("D", 2, mark) + note("E", 18), note("C", 24))
    assert body_text(read_musicxml(data), True) == 'P:A2\n"C"(3c-cde6|c8|\n'


def test_repeats_are_written_once_with_the_last_ending() -> None:
    first = '<barline location="left"><ending number="1" type="start"/></barline>'
    close = '<barline location="right"><ending number="1" type="stop"/><repeat direction="backward"/></barline>'
    second = '<barline location="left"><ending number="2" type="start"/></barline>'
    stop = '<barline location="right"><ending number="2" type="stop"/></barline>'
    data = score(
        harmony("C", "major") + note("C", 24),
        first + note("D", 24) + close,
        second + note("E", 24) + stop,
        note("F", 24),
        note("G", 24),
    )
    assert body_text(read_musicxml(data), True) == 'P:A2\n"C"c8|e8|\nP:B2\n"C"f8|g8|\n'


def test_a_first_bar_of_rest_and_pickup_is_left_out() -> None:
    rest = "<note><rest/><duration>18</duration></note>"
    bars = [harmony("C", "major") + note("C", 24)] + [note(step, 24) for step in "DEF"]
    assert body_text(read_musicxml(score(rest + note("G", 6), *bars)), True).startswith('P:A4\n"C"c8|d8|')


@pytest.mark.parametrize(
    ("chords", "expected"), [(["C", "G7", "C"], "C"), (["Am", "E7", "Am"], "Am"), (["Am", "E7"], "Am"), (["F"], "C")]
)
def test_the_chords_at_both_ends_tell_major_from_minor(chords: list[str], expected: str) -> None:
    assert infer_key(0, chords).abc() == expected


def test_a_lead_sheet_without_chords_is_refused() -> None:
    with pytest.raises(Unreadable):
        read_musicxml(score(note("C", 24), note("C", 24)))


def test_a_folder_gives_every_sheet_or_the_reason_against_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.mxl", "w") as archive:
        archive.writestr("META-INF/container.xml", "<container/>")
        archive.writestr("a.xml", score(harmony("C", "major") + note("C", 24), note("C", 24)))
    (tmp_path / "b.mxl").write_bytes(b"not a zip file")
    found = list(read_folder(tmp_path))
    assert found[0][0] is not None and found[0][0].source == "openewld/a"
    assert found[1][0] is None and found[1][1]
