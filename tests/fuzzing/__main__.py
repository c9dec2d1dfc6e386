"""Fuzzes one reader with atheris, or shrinks what was found to the corpus that is committed.

    python -m tests.fuzzing abc --minutes 10      looks for input that breaks it; stops at the first find
    python -m tests.fuzzing abc --keep            takes the fewest files that reach everything reached so far into the corpus

Everything found lies in build/fuzzing/<target>; what broke the reader is named `crash-...`, `timeout-...` or `oom-...` there.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from tests.fuzzing.targets import CORPUS, MOST_BYTES, MOST_FILES, TARGETS, Target

ROOT = Path(__file__).parents[2]
WORK = ROOT / "build" / "fuzzing"
TraceFunction = Callable[[FrameType, str, Any], Any]
#: An input that takes longer, or a process that needs more, is a finding.
LONGEST_S, MOST_MEMORY_MB = 5, 1_000


def fuzz(name: str, minutes: float, libfuzzer: list[str]) -> int:
    """Run libFuzzer on one target in a process of its own, and say how it ended."""
    work, found = WORK / name, WORK / f"{name}-found"
    for folder in (work, found, CORPUS / name):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in TARGETS[name].seeds():
        (work / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    words = WORK / f"{name}.dict"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in TARGETS[name].words), encoding="ascii")
    arguments = [
        str(work), str(CORPUS / name), f"-max_total_time={int(minutes * 60)}", f"-max_len={TARGETS[name].longest_bytes}",
        f"-timeout={LONGEST_S}", f"-rss_limit_mb={MOST_MEMORY_MB}", f"-dict={words}", f"-artifact_prefix={found}/",
        "-print_final_stats=1", *libfuzzer,
    ]  # fmt: skip
    return _in_a_process(name, arguments)


def keep(name: str) -> int:
    """Of everything found so far, the fewest inputs that take all the ways through the reader that all of them take together.

    Small ones are preferred; what once broke the reader stays anyway.
    """
    target, folder = TARGETS[name], CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    target.run(b"")  # imports are no way through the reader
    files = [file for place in (folder, WORK / name) if place.is_dir() for file in place.iterdir()]
    inputs = sorted(
        {file.read_bytes() for file in files if not file.name.startswith("found-")}, key=lambda data: (len(data), data)
    )
    ways = {data: _ways(target, data) for data in inputs if len(data) <= target.longest_bytes}
    chosen = list[bytes]()
    missing = set[Way]().union(*ways.values())
    total = sum(file.stat().st_size for file in folder.glob("found-*"))
    most = MOST_FILES - len(list(folder.glob("found-*")))
    while missing and len(chosen) < most:
        best = max(ways, key=lambda data: (len(ways[data] & missing) / (len(data) + 100), -len(data)))
        if not ways[best] & missing or total + len(best) > MOST_BYTES:
            break
        chosen.append(best)
        missing -= ways[best]
        total += len(best)
    # Lines are not all in which inputs differ: half of the room that is left goes to others of every size.
    others = [data for data in ways if data not in set(chosen) and len(data) < 1_000]
    for data in others[:: max(1, 2 * len(others) // max(1, most - len(chosen)))]:
        if len(chosen) < most and total + len(data) <= MOST_BYTES:
            chosen.append(data)
            total += len(data)
    for old in folder.iterdir():
        if not old.name.startswith("found-"):
            old.unlink()
    for data in chosen:
        (folder / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)
    print(f"{name}: {len(chosen)} of {len(ways)} inputs, {total:,} bytes, {len(missing)} ways left out")
    return 0


#: From one line of a file to another.
Way = tuple[str, int, int]


def _ways(target: Target, data: bytes) -> set[Way]:
    """The steps from line to line that the reader's own modules take for an input."""
    parts = tuple(module.replace(".", "/") for module in target.modules)
    found = set[Way]()

    def trace(frame: FrameType, event: str, _: object) -> TraceFunction | None:
        file = frame.f_code.co_filename
        if not any(part in file for part in parts):
            return None
        last = frame.f_code.co_firstlineno

        def steps(frame: FrameType, event: str, _: object) -> TraceFunction:
            nonlocal last
            if event == "line":
                found.add((file, last, frame.f_lineno))
                last = frame.f_lineno
            return steps

        return steps

    sys.settrace(trace)
    try:
        target.run(data)
    finally:
        sys.settrace(None)
    return found


def _escaped(word: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else f"\\x{ord(c):02x}" for c in word)


def _in_a_process(name: str, arguments: list[str]) -> int:
    # libFuzzer ends the process it runs in.
    command = [sys.executable, "-m", "tests.fuzzing", name, "--inside", *arguments]
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode


def _inside(name: str, arguments: list[str]) -> None:
    atheris = importlib.import_module("atheris")  # types: none; only on Linux and only for this command
    target = TARGETS[name]
    with atheris.instrument_imports(include=list(target.modules), enable_loader_override=False):
        for module in target.modules:
            importlib.import_module(module)
        next(iter(target.seeds()))
        target.run(b"")  # imports the rest
    atheris.Setup([sys.argv[0], *arguments], target.run)
    atheris.Fuzz()


def main() -> int:
    """The command line."""
    if sys.argv[2:3] == ["--inside"]:
        _inside(sys.argv[1], sys.argv[3:])
        return 0
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description="Looks for input that breaks a reader.")
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (default: 1)")
    parser.add_argument("--keep", action="store_true", help="shrink what was found into the corpus that is committed")
    chosen, libfuzzer = parser.parse_known_args()
    if chosen.keep:
        return keep(chosen.target)
    if importlib.util.find_spec("atheris") is None:
        parser.error("atheris is missing: pip install atheris (Linux).")
    return fuzz(chosen.target, chosen.minutes, libfuzzer)


if __name__ == "__main__":
    sys.exit(main())
