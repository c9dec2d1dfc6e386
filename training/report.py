"""Prints and keeps the measurements of the delivered GGUF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.evaluate import Score, copying, load, score_tunes, table
from training.families import Split
from training.score import Tune


def report(corpus: Sequence[Tune], tunes: Split, work: Path, model: Path, samples: int) -> None:
    """Measure `model` on the held-out tunes and look for copying; print the report and keep it as `work/report.md`."""
    llm = load(model)
    score = score_tunes(llm, tunes.held_out)
    lines = [f"Held-out list: {len(tunes.held_out)} tunes, SHA-256 {tunes.held_out_hash}", ""]
    lines += table(score, tunes.training, tunes.held_out, _baseline(work, tunes))
    print("\n".join(lines), flush=True)
    found = ["", *copying(llm, corpus, samples)]
    print("\n".join(found), flush=True)
    (work / "report.md").write_text("\n".join([*lines, *found, ""]), encoding="utf-8", newline="\n")


def _baseline(work: Path, tunes: Split) -> Score | None:
    """The first recipe's score, where it was measured on these held-out tunes."""
    path = work / "baseline.npz"
    if not path.is_file():
        return None
    with np.load(path) as kept:
        if str(kept["held_out"]) != tunes.held_out_hash:
            return None
        return Score(kept["bits"], kept["characters"])
