"""The first recipe, to be beaten: 2.2 million parameters, AdamW, 20 minutes of one core, windows of the tunes as printed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

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


def train_baseline(
    training: Sequence[Tune], cpu_s: float = 1200.0, seed: int = 1, report: Callable[[str], None] = print
) -> Composer:
    """Train on one thread until `cpu_s` seconds of processor time are used."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    ids: list[int] = []
    for tune in training:
        ids += [*encode(header_text(tune, tune.has_chords) + body_text(tune, tune.has_chords)), END]
    text = torch.tensor(ids)
    model: Composer = Composer(SHAPE)
    stepper = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.95), weight_decay=0.1)
    started = reported = time.process_time()
    seen = 0
    while (spent := time.process_time() - started) < cpu_s:
        share = spent / cpu_s
        for group in stepper.param_groups:
            group["lr"] = PEAK_RATE * min(1.0, seen / 100_000 + 0.01) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share)))
        starts = rng.integers(0, len(text) - WINDOW - 1, BATCH_ROWS)
        windows = torch.stack([text[start : start + WINDOW + 1] for start in starts])
        loss = functional.cross_entropy(model(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())
        stepper.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        stepper.step()
        seen += BATCH_ROWS * WINDOW
        if time.process_time() - reported > 60:
            reported = time.process_time()
            bits = loss.item() / math.log(2)
            report(f"first recipe: {spent:.0f} of {cpu_s:.0f} s, {seen / 1e6:.2f} M characters, {bits:.3f} bit/char")
    report(f"first recipe: {model.parameter_count() / 1e6:.2f} M parameters read {seen / 1e6:.2f} M characters")
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
