"""The steps that need PyTorch, each picking up what an earlier run left in the work folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from training.baseline import score_baseline, train_baseline
from training.export import write_gguf
from training.families import Split
from training.harmonise import harmonise
from training.model import Composer
from training.train import Recipe, load_checkpoint, train


def train_and_export(
    tunes: Split, work: Path, output: Path, kind: str, characters: int | None, compiled: bool = True, minutes: float | None = None
) -> None:
    """Train to the end of the recipe and write the GGUF to `output`."""
    recipe = Recipe() if characters is None else replace(Recipe(), characters=characters)
    harmonised = [harmonise(tune) for tune in tunes.training]
    model = train(
        recipe,
        tunes.training,
        harmonised,
        tunes.validation,
        work,
        compiled=compiled,
        report=_say,
        finish_in_s=None if minutes is None else 60 * minutes,
    )
    _write(model, recipe.characters, tunes, output, kind)


def export_checkpoint(tunes: Split, work: Path, output: Path, kind: str) -> None:
    """Write the GGUF of the last checkpoint, finished or not. Raises FileNotFoundError where there is none."""
    model = Composer(Recipe().shape)
    characters = load_checkpoint(work / "checkpoint.pt", model)
    _write(model, characters, tunes, output, kind)


def _write(model: Composer, characters: int, tunes: Split, output: Path, kind: str) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    notes = {"llm_music_gen.held_out_sha256": tunes.held_out_hash, "llm_music_gen.training_characters": str(characters)}
    write_gguf(model.eval(), output, kind, notes)
    _say(f"wrote {output} ({output.stat().st_size / 1e6:.1f} MB, {model.parameter_count() / 1e6:.2f} M parameters)")


def run_baseline(tunes: Split, work: Path, compiled: bool = True) -> None:
    """Train the first recipe and keep its score of the held-out tunes in `work/baseline.npz`."""
    score = score_baseline(train_baseline(tunes.training, compiled=compiled, report=_say), tunes.held_out)
    np.savez(work / "baseline.npz", bits=score.bits, characters=score.characters, held_out=tunes.held_out_hash)
    _say(f"first recipe: {score.bits_per_character:.4f} bit/char on the held-out tunes")


def _say(line: str) -> None:
    print(line, flush=True)
