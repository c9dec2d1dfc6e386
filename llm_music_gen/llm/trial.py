"""Loads a model in a child process first, so that one on which llama.cpp crashes costs a sentence and not the studio.

The child loads the file, writes one token and ends. What was tried once is remembered for as long as this process lives.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from llm_music_gen.errors import ModelCrashed, ModelError
from llm_music_gen.paths import PACKAGE_DIR

TRIAL_TIMEOUT_S = 600.0
_passed: set[tuple[Path, int, int]] = set()


def try_model(path: Path, *, threads: int, gpu_layers: int = 0, command: tuple[str, ...] = ()) -> None:
    """Make sure that a file can be loaded and writes. `command` stands in for the child in tests.

    Raises ModelCrashed when the child dies, ModelError when it says why not or does not come to an end.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror or error}).") from error
    identity = (path.resolve(), status.st_mtime_ns, status.st_size)
    if identity in _passed:
        return
    child = command or (sys.executable, "-m", "llm_music_gen.llm.trial")
    try:
        done = subprocess.run(
            [*child, str(path), str(threads), str(gpu_layers)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what llama.cpp prints would go over the screen
            timeout=TRIAL_TIMEOUT_S,
            cwd=None if command else PACKAGE_DIR.parent,
            env={**os.environ, "GGML_NO_BACKTRACE": "1"},  # a crash is answered by one sentence, not by a debugger
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{path.name} does not load within {TRIAL_TIMEOUT_S:g} s.", hint="Choose a smaller model.") from error
    except OSError as error:
        raise ModelError(f"{path.name} could not be tried in a process of its own ({error}).") from error
    lines = done.stdout.decode("utf-8", errors="replace").strip().splitlines()
    try:
        answer = json.loads(lines[-1])
        problem = str(answer["problem"])
    except (LookupError, ValueError, TypeError):
        raise ModelCrashed(
            f"llama.cpp crashed while it loaded {path.name} (exit code {done.returncode}).",
            hint="The file may be damaged or too new for this version; choose another model.",
        ) from None
    if problem:
        raise ModelError(problem)
    _passed.add(identity)


def main(arguments: list[str]) -> int:
    """The child: load, write one token, say how it went as one line of JSON."""
    from llm_music_gen.domain.text_model import Sampling
    from llm_music_gen.errors import StudioError
    from llm_music_gen.llm.backend import load_model

    path, threads, gpu_layers = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    problem = ""
    try:
        model = load_model(path.absolute(), threads=threads, context_tokens=64, gpu_layers=gpu_layers)
        list(model.generate(model.tokenize("A", add_bos=True), Sampling(max_tokens=1)))
        model.close()
    except StudioError as error:
        problem = str(error)
    print(json.dumps({"problem": problem}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
