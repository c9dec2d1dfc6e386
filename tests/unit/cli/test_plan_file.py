"""Plans: what a CSV file may say, and how what is wrong in it is named."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from llm_music_gen.cli.commands import generate
from llm_music_gen.cli.plan_file import PlanRow, read_plan
from llm_music_gen.errors import StorageError, StudioError, UsageError

Read = Callable[..., tuple[PlanRow, ...]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a plan with this content, and these options beside it."""

    def reading(content: str | bytes, *options: str) -> tuple[PlanRow, ...]:
        file = tmp_path / "plan.csv"
        file.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        parser = argparse.ArgumentParser()
        generate.add_options(parser)
        return read_plan(file, parser, parser.parse_args(["--from", str(file), *options]), generate.request_of)

    return reading


def test_every_option_of_generate_is_a_column(read: Read) -> None:
    header = "styles,title,length,count,key,tempo,meter,frequency,seed,night,layers,intonation,format,Upload Kit"
    [row] = read(f'{header}\n"Chill, Dubstep",Étude,8:00,3,Am,90,3/4,528,7,yes,"rain, pink",just,"flac,mp3",no\n')
    request = row.request
    assert row.number == 2
    assert (request.styles, request.title, request.length) == (("Chill", "Dubstep"), "Étude", "8:00")
    assert (request.songs, request.key, request.tempo_bpm, request.meter) == (3, "Am", 90.0, "3/4")
    assert (request.frequency, request.seed, request.night, request.layers) == ("528", 7, True, "rain, pink")
    assert (request.intonation, request.formats, request.upload_kit) == ("just", ("flac", "mp3"), "no")


def test_spreadsheets_of_other_countries_are_read(read: Read) -> None:
    plain = read("styles,length\njazz,5\n")
    assert read("\ufeffstyles,length\r\njazz,5\r\n") == plain
    assert read("styles;length\r\njazz;5\r\n") == plain
    assert read("styles\tlength\njazz\t5\n") == plain
    assert [row.number for row in read("styles,length\n\njazz,5\n,,\nfolk,3\n")] == [3, 5]


def test_the_command_line_fills_empty_cells(read: Read) -> None:
    first, second = read("styles,length\njazz,5\nfolk,\n", "--length", "3", "--format", "flac", "--night")
    assert (first.request.length, second.request.length) == ("5", "3")
    assert first.request.formats == second.request.formats == ("flac",)
    assert second.request.night
    assert not read("styles,night\njazz,no\n", "--night")[0].request.night


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("styles,lenght\njazz,5\n", "row 1, column 2: there is no column 'lenght'. Did you mean 'length'?"),
        ("styles,queue\njazz,yes\n", "row 1, column 2: there is no column 'queue'"),
        ("styles,styles\njazz,folk\n", "stands there twice"),
        ("styles,length\njazz,5\nfolk,soon\n", "row 3, column length: 'soon'"),
        ("styles,length,key\njazz,5,Q\n", "row 2, column key: "),
        ("styles,count\njazz,0\n", "row 2, column songs: 0 songs"),
        ("styles,night\njazz,maybe\n", "row 2, column night: 'maybe' is neither yes nor no."),
        ("styles,intonation\njazz,wild\n", "row 2, column intonation: 'wild' is none of the choices. Choose from equal, just."),
        ("styles,only-layers\nambient,yes\n", "row 2, column only-layers: There is nothing to hear"),
        ("styles,length\n,5\n", "row 2, column styles: the styles are missing."),
        ("styles,length\nChill, Dubstep,5\n", "row 2, has 3 cells, but there are 2 columns."),
        ('styles,length\n"jazz,5\n', "cannot be read from line"),
        ("styles,length\n", "has no row below its header"),
        ("", "is empty"),
        (b"styles\nj\xe4zz\n", "is not UTF-8 (line 2)"),
        (b"styles\nja\0zz\n", "has zero bytes"),
        ("styles\n" + "jazz\n" * 1001, "has 1001 rows"),
    ],
)
def test_what_is_wrong_is_named_in_one_sentence_with_its_place(read: Read, content: str | bytes, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(content)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_plan_that_is_not_there_is_named(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    generate.add_options(parser)
    for name in ("none.csv", "\0"):
        with pytest.raises(StorageError, match="cannot be read"):
            read_plan(Path(name), parser, parser.parse_args([]), generate.request_of)


def test_no_content_is_a_traceback(read: Read) -> None:
    text = 'styles,title,length,count,key\n"Chill, Dubstep",Étude,8:00,3,Am\njazz,,5,,\n'.encode()
    for at in range(len(text)):
        for byte in (0, 34, 44, 59, 255):
            try:
                read(text[:at] + bytes([byte]) + text[at + 1 :])
            except StudioError as error:
                assert "\n" not in str(error)
