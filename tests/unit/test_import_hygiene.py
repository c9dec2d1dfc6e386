"""Heavy engines are loaded when they are first needed, so that help, completion and listings answer at once."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

#: What only a song, a player or a screen needs.
ENGINES = {
    "fluidsynth", "huggingface_hub", "lameenc", "llama_cpp", "mido", "miniaudio", "music21", "mutagen", "pedalboard",
    "pretty_midi", "scipy", "soundfile", "textual", "xllamacpp",
}  # fmt: skip
REPORT = """
import contextlib, io, json, sys
sys.argv = ["llm-music-gen", *{arguments!r}]
with contextlib.redirect_stdout(io.StringIO()) as printed:
    try:
        from llm_music_gen.__main__ import main
        status = main()
    except SystemExit as ended:
        status = ended.code
print(json.dumps({{"modules": sorted(sys.modules), "status": status, "printed": printed.getvalue()}}))
"""


def modules_after(*arguments: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after `llm-music-gen ARGUMENTS`."""
    run = subprocess.run(
        [sys.executable, "-c", REPORT.format(arguments=arguments)], capture_output=True, text=True, encoding="utf-8", check=True
    )
    report = json.loads(run.stdout)
    assert not report["status"], report
    assert report["printed"].strip()
    return {name.partition(".")[0] for name in report["modules"]}


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("generate", "--help"), ("models", "get")])
def test_help_and_lists_of_words_load_no_engine(arguments: tuple[str, ...]) -> None:
    assert modules_after(*arguments) & ENGINES == set()
