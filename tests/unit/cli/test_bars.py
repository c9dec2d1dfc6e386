"""The progress lines: the user's own words and bar."""

from __future__ import annotations

import io

from llm_music_gen.cli.bars import ProgressLines, bar_text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_is_the_users_own() -> None:
    assert bar_text(0.33) == "[##########--------------------] 33% Complete"
    assert bar_text(0.0) == "[------------------------------] 0% Complete"
    assert bar_text(1.0) == "[##############################] 100% Complete"
    assert bar_text(0.9999).endswith("99% Complete")
    assert bar_text(-1).startswith("[------")


def test_on_a_terminal_the_bar_is_redrawn_in_place_and_never_goes_back() -> None:
    screen = Terminal()
    lines = ProgressLines(screen)
    lines.begin('Producing "Chill" themed song number 1...')
    for fraction in (0.5, 0.4, 1.0):
        lines.move(fraction)
    lines.begin("Converting song number 1 from WAV to Mp3...")
    lines.move(1.0)
    lines.end()
    first, bar, second, last, end = screen.getvalue().split("\n")
    assert first == 'Llm-Music-Gen: Producing "Chill" themed song number 1...'
    assert [part.split("] ")[1] for part in bar.split("\r")[1:]] == ["0% Complete", "50% Complete", "100% Complete"]
    assert second == "Llm-Music-Gen: Converting song number 1 from WAV to Mp3..."
    assert last.endswith("100% Complete")
    assert end == ""


def test_a_bar_whose_work_is_done_is_full_when_the_next_begins() -> None:
    written = io.StringIO()
    lines = ProgressLines(written)
    lines.begin("Producing...")
    lines.move(0.47)
    lines.begin("Converting...", after_done=True)
    lines.begin("Checking...")
    lines.end()
    bars = [line.split("] ")[1] for line in written.getvalue().splitlines() if line.startswith("[")]
    assert bars == ["100% Complete", "0% Complete", "0% Complete"]


def test_in_a_file_only_the_end_of_each_bar_is_written() -> None:
    file = io.StringIO()
    lines = ProgressLines(file)
    lines.begin("One")
    lines.move(0.2)
    lines.move(1.0)
    lines.say("Two")
    assert file.getvalue().splitlines() == ["Llm-Music-Gen: One", bar_text(1.0), "Llm-Music-Gen: Two"]
