"""Trains the event model that ships: `python -m training.ears.train`. Some ten minutes on one core, the sounds included.

The bank of sounds is synthesised once into --work, scenes are mixed from it, statistics taken, networks trained with torch,
thresholds chosen on scenes from clips that training never saw; then the weights are written for numpy.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from llm_music_gen.describing.events.labels import LABELS
from llm_music_gen.describing.events.model import OUTPUTS, STEP_FRAMES, WINDOW_FRAMES
from llm_music_gen.describing.events.recognise import overall
from llm_music_gen.describing.events.shipped import WEIGHTS, ShippedModel, read_model
from llm_music_gen.describing.events.statistics import statistics
from training.ears.bank import Bank, build, halves
from training.ears.mixing import mix

HIDDEN = (160, 96)
VOTERS, EPOCHS, BATCH = 3, 14, 256
VALIDATION_SCENES, SCENE_FRAMES = 400, 1_500
#: Thresholds lie between these, whatever the validation says.
_LOWEST, _HIGHEST = 0.2, 0.8


def windows(bank: Bank, count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(statistics, targets) of `count` scenes of one window."""
    random = np.random.default_rng([seed, 1])
    measured, targets = [], []
    for start in range(0, count, 64):
        made = [mix(random, bank, WINDOW_FRAMES) for _ in range(min(64, count - start))]
        measured.append(statistics(np.stack([one.log_mel for one in made])))
        targets.append(np.stack([one.target for one in made]))
    return np.concatenate(measured), np.concatenate(targets)


def _loss(answer: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy of the events that can be said, and cross-entropy of the scenes where there is one."""
    events, scenes = answer[:, : len(LABELS)], answer[:, len(LABELS) :]
    said, place = wanted[:, : len(LABELS)], wanted[:, len(LABELS) :]
    each = torch.nn.functional.binary_cross_entropy_with_logits(events, said.clamp(0, 1) * 0.96 + 0.02, reduction="none")
    known, placed = (said >= 0).float(), (place.max(dim=1).values > 0).float()
    of_scenes = torch.nn.functional.cross_entropy(scenes, place.argmax(dim=1), reduction="none", label_smoothing=0.05)
    return (each * known).sum() / known.sum() + 0.1 * (of_scenes * placed).sum() / placed.sum().clamp(min=1)


def _network(inputs: int) -> torch.nn.Sequential:
    sizes, layers = (inputs, *HIDDEN), []
    for before, after in pairwise(sizes):
        layers += [torch.nn.Linear(before, after), torch.nn.ReLU(), torch.nn.Dropout(0.3)]
    return torch.nn.Sequential(torch.nn.Dropout(0.05), *layers, torch.nn.Linear(sizes[-1], OUTPUTS))


def fitted(measured: NDArray[np.float32], targets: NDArray[np.float32], seed: int, epochs: int = EPOCHS) -> ShippedModel:
    """Networks that vote, trained on the same statistics from other beginnings."""
    mean, scale = measured.mean(axis=0), measured.std(axis=0) + 1e-3
    inputs = torch.from_numpy(np.clip((measured - mean) / scale, -5, 5))
    wanted = torch.from_numpy(targets)
    voters = []
    for voter in range(VOTERS):
        torch.manual_seed(seed * 100 + voter)
        network = _network(inputs.shape[1])
        optimiser = torch.optim.AdamW(network.parameters(), lr=1.5e-3, weight_decay=0.02)
        steps = epochs * (len(inputs) // BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps + 1)
        for epoch in range(epochs):
            network.train()
            total = 0.0
            for rows in torch.randperm(len(inputs))[: len(inputs) // BATCH * BATCH].split(BATCH):
                loss = _loss(network(inputs[rows] + 0.1 * torch.randn(len(rows), inputs.shape[1])), wanted[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                total += float(loss.detach()) * BATCH / len(inputs)
            if epoch == epochs - 1:
                print(f"voter {voter}: loss {total:.4f}", flush=True)
        linear = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
        voters.append([(layer.weight.detach().numpy().T, layer.bias.detach().numpy()[None]) for layer in linear])
    layers = tuple(
        (
            np.stack([voter[n][0] for voter in voters]).astype(np.float16).astype(np.float32),
            np.stack([voter[n][1] for voter in voters]).astype(np.float32),
        )
        for n in range(len(voters[0]))
    )
    return ShippedModel("ears", dict.fromkeys(LABELS, 0.5), mean, scale, layers)


def thresholds(model: ShippedModel, bank: Bank, seed: int) -> dict[str, float]:
    """Where F1 is best over whole scenes, label by label; the middle of what is within 2 % of the best."""
    random = np.random.default_rng([seed, 2])
    answers, wanted = [], []
    for _ in range(VALIDATION_SCENES):
        made = mix(random, bank, SCENE_FRAMES)
        starts = range(0, SCENE_FRAMES - WINDOW_FRAMES + 1, STEP_FRAMES)
        shown = np.stack([made.log_mel[start : start + WINDOW_FRAMES] for start in starts])
        answers.append(overall(model.probabilities(shown)))
        wanted.append(made.target)
    answer, want = np.stack(answers), np.stack(wanted)
    out = {}
    for column, label in enumerate(LABELS):
        known = want[:, column] >= 0
        truth, likely = want[known, column] > 0, answer[known, column]
        tried = np.arange(_LOWEST, _HIGHEST + 0.01, 0.02)
        f1 = np.array([2 * np.sum(truth & (likely >= t)) / max(1, np.sum(truth) + np.sum(likely >= t)) for t in tried])
        out[label] = round(float(np.median(tried[f1 >= f1.max() - 0.02])), 2)
        print(f"{label}: threshold {out[label]}, F1 {f1.max():.3f}, {int(truth.sum())} of {len(truth)}", flush=True)
    return out


def write(model: ShippedModel, path: Path) -> None:
    """The weights in half precision, to a temporary name first."""
    arrays: dict[str, Any] = {
        "mean": model.mean,
        "scale": model.scale,
        "name": np.array(model.name),
        "layers": np.array(len(model.layers)),
        "thresholds": np.array(json.dumps(model.thresholds)),
    }
    for number, (weights, bias) in enumerate(model.layers):
        arrays |= {f"weights_{number}": weights.astype(np.float16), f"bias_{number}": bias}
    held = io.BytesIO()
    np.savez_compressed(held, **arrays)
    temporary = path.with_suffix(".part")
    temporary.write_bytes(held.getvalue())
    temporary.replace(path)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for the synthesised sounds (about 0.5 GB)")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--clips", type=int, default=160, help="clips of 15 s for each kind of sound")
    parser.add_argument("--windows", type=int, default=40_000, help="windows of 5 s to train with")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    begun = time.process_time()
    train_bank, validation_bank = halves(build(chosen.work, chosen.clips, chosen.seed))
    print(f"bank: {time.process_time() - begun:.0f} s", flush=True)
    measured, targets = windows(train_bank, chosen.windows, chosen.seed)
    print(f"windows: {time.process_time() - begun:.0f} s", flush=True)
    model = fitted(measured, targets, chosen.seed)
    model.thresholds.update(thresholds(model, validation_bank, chosen.seed))
    write(model, chosen.out)
    read_model(chosen.out)
    print(f"{chosen.out}: {chosen.out.stat().st_size} bytes, {time.process_time() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
