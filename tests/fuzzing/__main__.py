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
from pathlib import Path

from tests.fuzzing.targets import CORPUS, MOST_BYTES, MOST_FILES, TARGETS

ROOT = Path(__file__).parents[2]
WORK = ROOT / "build" / "fuzzing"
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
    """Shrink everything found so far to the fewest inputs of the same coverage, smallest first, within the bounds."""
    merged = WORK / f"{name}-merged"
    merged.mkdir(parents=True, exist_ok=True)
    for old in merged.iterdir():
        old.unlink()
    sources = [str(folder) for folder in (CORPUS / name, WORK / name) if folder.is_dir()]
    length = f"-max_len={TARGETS[name].longest_bytes}"
    if code := _in_a_process(name, ["-set_cover_merge=1", length, f"-timeout={LONGEST_S}", str(merged), *sources]):
        return code
    target = CORPUS / name
    target.mkdir(parents=True, exist_ok=True)
    for old in target.iterdir():
        if not old.name.startswith("found-"):  # what once broke the reader stays
            old.unlink()
    total = sum(file.stat().st_size for file in target.iterdir())
    number = len(list(target.iterdir()))
    for file in sorted(merged.iterdir(), key=lambda file: file.stat().st_size):
        data = file.read_bytes()
        if number < MOST_FILES and total + len(data) <= MOST_BYTES:
            (target / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)
            number, total = number + 1, total + len(data)
    print(f"{name}: {number} files, {total:,} bytes in {target}")
    return 0


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
    if importlib.util.find_spec("atheris") is None:
        parser.error("atheris is missing: pip install atheris (Linux).")
    return keep(chosen.target) if chosen.keep else fuzz(chosen.target, chosen.minutes, libfuzzer)


if __name__ == "__main__":
    sys.exit(main())
