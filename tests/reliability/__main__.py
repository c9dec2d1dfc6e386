"""`python -m tests.reliability`: every trial in full, and the table of figures. What is finished is kept, so it can be resumed.

One module of trials after the other runs in a process of its own; the results lie in `--to`. Fit for running detached:
`nohup python -m tests.reliability > reliability.txt &`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.reliability import figures, scale

HERE = Path(__file__).parent


def main() -> int:
    """Run what is missing, then print the table. Returns 1 when something does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("only", nargs="*", metavar="WORD", help="only modules with such a word in their name, such as killed")
    parser.add_argument("--to", type=Path, default=Path(tempfile.gettempdir()) / "llm-music-gen-reliability", metavar="FOLDER")
    parser.add_argument("--reduced", action="store_true", help="as little as in the usual test run")
    parser.add_argument("--anew", action="store_true", help="run again what is finished")
    parser.add_argument("--table", action="store_true", help="only print what was measured so far")
    chosen = parser.parse_args()
    folder: Path = chosen.to / ("reduced" if chosen.reduced else "full")
    folder.mkdir(parents=True, exist_ok=True)
    modules = [path for path in sorted(HERE.glob("test_*.py")) if not chosen.only or any(w in path.stem for w in chosen.only)]
    for module in modules:
        finished = folder / f"{module.stem}.finished"
        if not chosen.table and (chosen.anew or not finished.exists()):
            _run(module, folder, finished, reduced=chosen.reduced)
    found = [figure for file in sorted(folder.glob("*.jsonl")) for figure in figures.read_figures(file)]
    print(figures.table(found))
    waiting = [path.stem for path in modules if not (folder / f"{path.stem}.finished").exists()]
    if waiting:
        print(f"Not finished or failed: {', '.join(waiting)}. Their logs lie in {folder}.")
    return 1 if waiting or not all(figure.holds for figure in found) else 0


def _run(module: Path, folder: Path, finished: Path, *, reduced: bool) -> None:
    finished.unlink(missing_ok=True)
    lines = folder / f"{module.stem}.jsonl"
    lines.unlink(missing_ok=True)
    environment = {**os.environ, figures.VARIABLE: str(lines), scale.VARIABLE: "" if reduced else "full"}
    began_s = time.monotonic()
    with (folder / f"{module.stem}.log").open("wb") as log:
        command = [sys.executable, "-m", "pytest", "-n", "0", "--timeout", "14400", str(module)]
        code = subprocess.run(command, cwd=HERE.parents[1], env=environment, stdout=log, stderr=subprocess.STDOUT).returncode
    print(f"{module.stem}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - began_s:.0f} s", flush=True)
    if code == 0:
        finished.touch()


if __name__ == "__main__":
    sys.exit(main())
