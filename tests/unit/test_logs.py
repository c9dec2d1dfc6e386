"""Log files: they hold what went wrong, and never stand in the way."""

from __future__ import annotations

import logging
from pathlib import Path

from llm_music_gen.logs import start_logging, stop_logging


def test_the_packages_messages_go_to_the_file(tmp_path: Path) -> None:
    path = start_logging(tmp_path / "logs")
    logging.getLogger("llm_music_gen.studio").warning("a string broke: %s", "é")
    stop_logging()
    assert path is not None
    assert "a string broke: é" in path.read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    assert start_logging(tmp_path / "file" / "logs") is None
    logging.getLogger("llm_music_gen.studio").warning("nobody hears this")
    stop_logging()
