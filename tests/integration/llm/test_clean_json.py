"""JSON on standard output stays JSON while native code prints beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.gguf_writer import character_vocabulary, write_model

#: `models list --json` that loads a model on the way, loudly, as llama.cpp does when it is not hushed; C's own printf too.
NOISY_LIST = """
import ctypes, os, sys
from llm_music_gen.studio import studio

def noisy(*arguments, **options):
    from llama_cpp import Llama
    model = Llama(sys.argv[1], n_ctx=64, n_threads=1, verbose=True)
    model("A", max_tokens=2)
    os.write(1, b"a native line\\n")
    if sys.platform != "win32":
        libc = ctypes.CDLL(None)
        libc.printf(b"a line of printf\\n")
        libc.fflush(None)
    return real(*arguments, **options)

real, studio.find_models = studio.find_models, noisy
from llm_music_gen.__main__ import main
sys.exit(main(["models", "list", "--json"]))
"""


def test_what_native_code_prints_never_gets_between_the_lines(studio_home: Path) -> None:
    pytest.importorskip("llama_cpp")
    (studio_home / "models").mkdir(parents=True)
    model = write_model(studio_home / "models" / "tiny.gguf", character_vocabulary())
    run = subprocess.run(
        [sys.executable, "-c", NOISY_LIST, str(model)], capture_output=True, text=True, encoding="utf-8", check=True
    )
    listed = [json.loads(line) for line in run.stdout.splitlines()]
    assert "tiny.gguf" in {model["name"] for model in listed}
    assert "a native line" in run.stderr and "llama" in run.stderr


def test_a_reader_that_has_seen_enough_ends_it_quietly(studio_home: Path) -> None:
    lines = "from llm_music_gen.__main__ import main; import sys; sys.exit(main(['models', 'get', '--json']))"
    with subprocess.Popen([sys.executable, "-c", lines], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
