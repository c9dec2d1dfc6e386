"""Trains the composer: epochs of varied tunes, rows bucketed by length, a checkpoint every few minutes to go on from."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.augment import Mix, epoch_texts
from training.model import Composer, Shape
from training.optimise import Muon
from training.score import Tune, body_text, header_text
from training.tokenizer import END, encode

#: Row lengths that batches are padded to.
BUCKETS = tuple(range(64, 1025, 32))
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what training gives, but the data and the machine."""

    shape: Shape = field(default_factory=Shape)
    mix: Mix = field(default_factory=Mix)
    late_mix: Mix = field(default_factory=lambda: Mix(own_key=0.7, remeter=0.15, divide=0.1, join=0.05, folk_harmonised=0.3))
    """Takes the place of `mix` while the rate falls: nearer to the tunes as printed."""
    characters: int = 9_500_000
    """How many characters are read before the learning rate reaches zero."""
    first_batch_characters: int = 6144
    first_dropout: float = 0.05
    first_epochs: int = 3
    """So long the batches are large and the steps steady; then the same characters make twice as many steps, without dropout."""
    batch_characters: int = 3072
    matrix_rate: float = 0.02
    vector_rate: float = 0.003
    weight_decay: float = 0.05
    warm_up: float = 0.01
    decay: float = 0.55
    """Shares of `characters` in which the rate rises and falls."""
    seed: int = 1


Row = tuple[list[int], int]
"""Token ids of a tune with its end, and how many of them are header."""


def row(header: str, body: str, context: int) -> Row:
    """One tune as ids; the header is read but not learned."""
    ids = [*encode(header), *encode(body), END]
    return ids[: context + 1], len(header)


def batches(rows: Sequence[Row], batch_characters: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """(ids, targets) of shape (rows, bucket), rows of similar length together, batches in a drawn order."""
    buckets: dict[int, list[Row]] = {length: [] for length in BUCKETS}
    for ids, header in rows:
        buckets[next(length for length in BUCKETS if len(ids) - 1 <= length)].append((ids, header))
    groups: list[tuple[int, list[Row]]] = []
    for length, members in buckets.items():
        size = max(1, batch_characters // length)
        groups += [(length, members[start : start + size]) for start in range(0, len(members), size)]
    for index in rng.permutation(len(groups)):
        length, members = groups[index]
        size = max(1, batch_characters // length)
        inputs = torch.full((size, length), END)
        targets = torch.full((size, length), IGNORED)
        for place, (ids, header) in enumerate(members):
            inputs[place, : len(ids) - 1] = torch.tensor(ids[:-1])
            targets[place, header - 1 : len(ids) - 1] = torch.tensor(ids[header:])
        yield inputs, targets


def rate(progress: float, recipe: Recipe) -> float:
    """Share of the full learning rate: linear rise, plateau, linear fall."""
    return max(0.0, min(1.0, progress / recipe.warm_up, (1 - progress) / recipe.decay))


def evaluate(model: Composer, rows: Sequence[Row], device: torch.device) -> tuple[np.ndarray, np.ndarray]:
    """Bits that the model needs for each tune after its header, and each tune's number of characters, its end included."""
    model.eval()
    bits, counts = np.zeros(len(rows)), np.zeros(len(rows), dtype=np.int64)
    order = sorted(range(len(rows)), key=lambda index: len(rows[index][0]))
    with torch.no_grad():
        for start in range(0, len(order), 16):
            chosen = order[start : start + 16]
            length = max(len(rows[index][0]) for index in chosen) - 1
            inputs = torch.full((len(chosen), length), END)
            for place, index in enumerate(chosen):
                inputs[place, : len(rows[index][0]) - 1] = torch.tensor(rows[index][0][:-1])
            logits = functional.log_softmax(model(inputs.to(device)).float(), dim=-1).cpu()
            for place, index in enumerate(chosen):
                ids, header = rows[index]
                picked = logits[place, torch.arange(header - 1, len(ids) - 1), torch.tensor(ids[header:])]
                bits[index] = -picked.double().sum().item() / math.log(2)
                counts[index] = len(ids) - header
    model.train()
    return bits, counts


def canonical_rows(tunes: Sequence[Tune], context: int) -> list[Row]:
    """Tunes in their canonical form, with chords where they have some."""
    return [row(header_text(tune, tune.has_chords), body_text(tune, tune.has_chords), context) for tune in tunes]


def optimisers(model: Composer, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the blocks, AdamW for embedding and norms."""
    matrices = [parameter for parameter in model.blocks.parameters() if parameter.ndim == 2]
    chosen = {id(parameter) for parameter in matrices}
    others = [parameter for parameter in model.parameters() if id(parameter) not in chosen]
    return [
        Muon(matrices, lr=recipe.matrix_rate, weight_decay=recipe.weight_decay),
        torch.optim.AdamW(others, lr=recipe.vector_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def train(
    recipe: Recipe,
    training: Sequence[Tune],
    harmonised: Sequence[Tune],
    validation: Sequence[Tune],
    folder: Path,
    compiled: bool = True,
    report: Callable[[str], None] = print,
    checkpoint_s: float = 120.0,
    finish_in_s: float | None = None,
) -> Composer:
    """Train to the end of the recipe, going on from `folder/checkpoint.pt` where it belongs to the same recipe.

    With `finish_in_s` what is left of the schedule is spread over that many seconds, however many characters they are worth;
    that is for machines with other work to do, and the one way in which the clock decides what training gives.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(recipe.seed)
    model = Composer(recipe.shape, recipe.first_dropout)
    model.to(device)
    steppers = optimisers(model, recipe)
    base_rates = [group["lr"] for stepper in steppers for group in stepper.param_groups]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "checkpoint.pt"
    place = _restore(path, recipe, model, steppers)
    forward: Any = torch.compile(model, dynamic=True) if compiled else model
    held = canonical_rows(validation, recipe.shape.context)
    started = saved = time.monotonic()
    since = place["characters"]
    done_before = place["progress"]
    losses: list[float] = []
    while place["progress"] < 1:
        rng = np.random.default_rng([recipe.seed, place["epoch"]])
        late = place["progress"] > 1 - recipe.decay
        texts = epoch_texts(tuple(training), tuple(harmonised), recipe.late_mix if late else recipe.mix, rng)
        rows = [row(header, body, recipe.shape.context) for header, body in texts]
        first = place["epoch"] < recipe.first_epochs
        model.set_dropout(recipe.first_dropout if first else 0.0)
        size = recipe.first_batch_characters if first else recipe.batch_characters
        for number, (inputs, targets) in enumerate(batches(rows, size, rng)):
            if number < place["batch"]:
                continue
            for group, base in zip((group for stepper in steppers for group in stepper.param_groups), base_rates, strict=True):
                group["lr"] = base * rate(place["progress"], recipe)
            losses.append(_step(forward, steppers, inputs.to(device), targets.to(device), device))
            learned = int((targets != IGNORED).sum())
            place["characters"] += learned
            place["batch"] = number + 1
            if finish_in_s is None:
                place["progress"] += learned / recipe.characters
            else:
                place["progress"] = done_before + (1 - done_before) * (time.monotonic() - started) / finish_in_s
            if place["progress"] >= 1:
                break
            if time.monotonic() - saved > checkpoint_s:
                saved = time.monotonic()
                _save(path, recipe, model, steppers, place)
                speed = (place["characters"] - since) / (saved - started)
                mean = sum(losses) / len(losses) / math.log(2)
                where = f"{place['characters'] / 1e6:6.2f} M characters, epoch {place['epoch']}"
                report(f"{where}: {mean:.3f} bit/char in training, {speed:.0f} characters/s")
                losses = []
        else:
            place["epoch"] += 1
            place["batch"] = 0
            bits, counts = evaluate(model, held, device)
            report(f"epoch {place['epoch']}: validation {bits.sum() / counts.sum():.4f} bit/char")
    _save(path, recipe, model, steppers, place)
    bits, counts = evaluate(model, held, device)
    report(f"done: validation {bits.sum() / counts.sum():.4f} bit/char after {place['characters'] / 1e6:.2f} M characters")
    return model


def _step(forward: Any, steppers: list[torch.optim.Optimizer], inputs: Tensor, targets: Tensor, device: torch.device) -> float:
    with torch.autocast(device.type, dtype=torch.bfloat16):
        logits = forward(inputs)
    loss = functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
    loss.backward()
    for stepper in steppers:
        stepper.step()
        stepper.zero_grad(set_to_none=True)
    return float(loss.detach())


def _save(path: Path, recipe: Recipe, model: Composer, steppers: list[torch.optim.Optimizer], place: dict[str, Any]) -> None:
    beside = path.with_suffix(".part")
    state = {
        "recipe": json.dumps(asdict(recipe), sort_keys=True),
        "model": model.state_dict(),
        "steppers": [stepper.state_dict() for stepper in steppers],
        "place": dict(place),
    }
    torch.save(state, beside)
    beside.replace(path)


def load_checkpoint(path: Path, model: Composer) -> int:
    """Put a checkpoint's weights into `model` and return how many characters it has read. Raises FileNotFoundError."""
    state = torch.load(path, weights_only=True, map_location="cpu")
    model.load_state_dict(state["model"])
    return int(state["place"]["characters"])


def _restore(path: Path, recipe: Recipe, model: Composer, steppers: list[torch.optim.Optimizer]) -> dict[str, Any]:
    """Where training stands: after the checkpoint, or at the beginning where there is none of this recipe."""
    if path.is_file():
        state = torch.load(path, weights_only=True)
        same = json.loads(state["recipe"])
        ours = json.loads(json.dumps(asdict(recipe)))
        # The length of training may change on the way: the rate's plateau is the same for all.
        same.pop("characters"), ours.pop("characters")
        if same == ours:
            model.load_state_dict(state["model"])
            for stepper, saved in zip(steppers, state["steppers"], strict=True):
                stepper.load_state_dict(saved)
            return dict(state["place"])
    return {"characters": 0, "epoch": 0, "batch": 0, "progress": 0.0}
