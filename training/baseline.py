"""The first recipe, to be beaten: 2.2 million parameters, AdamW, 20 minutes of one core, windows of the tunes as printed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from training.evaluate import Score
from training.model import Composer, Shape
from training.score import Tune, body_text, header_text
from training.tokenizer import END, encode

SHAPE = Shape(layers=5, width=192, heads=6, feed_forward=512, context=256)
WINDOW = 256
BATCH_ROWS = 16
PEAK_RATE = 2e-3
#: What 20 minutes of one core were worth when the recipe was first tried.
CHARACTERS = 5_000_000


def train_baseline(
    training: Sequence[Tune], seed: int = 1, compiled: bool = True, report: Callable[[str], None] = print
) -> Composer:
    """Train on one thread until `CHARACTERS` are read; counting characters, not minutes, is the same on every machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    ids: list[int] = []
    for tune in training:
        ids += [*encode(header_text(tune, tune.has_chords) + body_text(tune, tune.has_chords)), END]
    text = torch.tensor(ids)
    model: Composer = Composer(SHAPE)
    forward: Any = torch.compile(model) if compiled else model
    stepper = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.95), weight_decay=0.1)
    started, seen, reported = time.process_time(), 0, 0
    while seen < CHARACTERS:
        fall = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * seen / CHARACTERS))
        for group in stepper.param_groups:
            group["lr"] = PEAK_RATE * min(1.0, seen / 100_000 + 0.01) * fall
        starts = rng.integers(0, len(text) - WINDOW - 1, BATCH_ROWS)
        windows = torch.stack([text[start : start + WINDOW + 1] for start in starts])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = forward(windows[:, :-1])
        loss = functional.cross_entropy(logits.float().flatten(0, 1), windows[:, 1:].flatten())
        stepper.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        stepper.step()
        seen += BATCH_ROWS * WINDOW
        if seen - reported > 200_000:
            reported, spent = seen, time.process_time() - started
            bits = loss.item() / math.log(2)
            report(f"first recipe: {seen / 1e6:.2f} M characters in {spent:.0f} s of one core, {bits:.3f} bit/char")
    report(f"first recipe: {model.parameter_count() / 1e6:.2f} M parameters, {time.process_time() - started:.0f} s of one core")
    torch.set_num_threads(threads)
    model.eval()
    return model


def score_baseline(model: Composer, tunes: Sequence[Tune]) -> Score:
    """Bits for each tune from its start; beyond the context in windows that overlap by half, which is kind to this model."""
    bits, counts = [], []
    with torch.no_grad():
        for tune in tunes:
            header = encode(header_text(tune, tune.has_chords))
            ids = torch.tensor([*header, *encode(body_text(tune, tune.has_chords)), END])
            place, total = len(header), 0.0
            while place < len(ids):
                begin = max(0, min(place - WINDOW // 2, len(ids) - 1 - WINDOW)) if place >= WINDOW else 0
                stop = min(len(ids), begin + WINDOW + 1)
                logs = functional.log_softmax(model(ids[None, begin : stop - 1])[0], dim=-1)
                wanted = ids[place:stop]
                total -= logs[torch.arange(place - 1 - begin, stop - 1 - begin), wanted].double().sum().item() / math.log(2)
                place = stop
            bits.append(total)
            counts.append(len(ids) - len(header))
    return Score(np.array(bits), np.array(counts))
