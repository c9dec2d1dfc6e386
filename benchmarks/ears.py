"""How well the event model hears: `python -m benchmarks.ears [--real FOLDER] [--scenes 300]`.

Synthetic: 30-second scenes as sound, from families, rooms and noise that training never had; AUC of each label. Real: a folder
with `captions.csv` (file, caption_1, caption_2) beside the recordings; F1 of what is heard against what either caption names.
Speed: seconds of 44.1 kHz stereo for a second of one core.
"""

from __future__ import annotations

import argparse
import csv
import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.events.labels import LABELS
from llm_music_gen.describing.events.model import EventModel, SoundscapeEvents
from llm_music_gen.describing.events.recognise import recognise, summary
from llm_music_gen.describing.events.shipped import WEIGHTS, read_model
from training.ears.held_out import JUDGED, scenes

#: Source -> (words that name it in a caption, labels that name it in an answer).
SOURCES = {
    "traffic": (r"traffic|vehicle|car|cars|truck|motorcycles?|road noise|engine|airplane|aircraft", ("Traffic", "Vehicle")),
    "people": (r"people|voices?|speech|human|talking|conversations?|chatting|footsteps", ("Human sounds", "Speech")),
    "birds": (r"birds?", ("Bird",)),
    "water": (r"water|fountain|stream|waves?|rain", ("Water",)),
    "music": (r"music|saxophone|bells", ("Music",)),
    "wind": (r"wind", ("Wind",)),
    "silence": (r"silence|quiet|silent", ("Silence",)),
}
#: What the words above also match and must not: "somewhat quiet" roads are no silence, a "stream of vehicles" is no water.
_NOT = re.compile(r"(somewhat|background level is somewhat) quiet|stream of vehicles|steady stream|noise or waves")


def named(caption: str) -> frozenset[str]:
    """The sources that a caption names."""
    text = _NOT.sub(" ", caption.lower())
    return frozenset(source for source, (words, _) in SOURCES.items() if re.search(rf"\b(?:{words})\b", text))


def heard(found: SoundscapeEvents) -> frozenset[str]:
    """The sources that an answer names."""
    return frozenset(source for source, (_, labels) in SOURCES.items() if set(labels) & set(found.heard))


def f1(truth: frozenset[str], answer: frozenset[str]) -> float:
    """Of one recording."""
    return 2 * len(truth & answer) / (len(truth) + len(answer)) if truth or answer else 1.0


def auc(truth: NDArray[np.bool_], likely: NDArray[np.floating]) -> float:
    """Chance that a positive is found likelier than a negative (ties count half)."""
    above = likely[truth][:, None] - likely[~truth][None]
    return float((above > 0).mean() + 0.5 * (above == 0).mean())


def synthetic(model: EventModel, count: int, seed: int) -> dict[str, tuple[float, int]]:
    """Label -> (AUC, positives) over held-out scenes."""
    answers, truths = [], []
    for sound, labels, rate_hz in scenes(count, seed):
        found = summary(recognise([sound[:, None]], rate_hz, model), model)
        answers.append([found.labels[label] for label in LABELS])
        truths.append([label in labels for label in LABELS])
    likely, truth = np.array(answers), np.array(truths)
    return {label: (auc(truth[:, n], likely[:, n]), int(truth[:, n].sum())) for n, label in enumerate(LABELS) if label in JUDGED}


def _blocks(path: Path) -> Iterator[NDArray[np.float32]]:
    import soundfile

    with soundfile.SoundFile(str(path)) as file:
        while len(block := file.read(1 << 16, dtype="float32", always_2d=True)):
            yield block


def real(model: EventModel, folder: Path) -> None:
    """Prints what is heard in each recording, and F1 in three ways beside the commonest source alone."""
    import soundfile

    with (folder / "captions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    truths, answers = [], []
    for row in rows:
        path = folder / row["file"]
        found = summary(recognise(_blocks(path), soundfile.info(str(path)).samplerate, model), model)
        truths.append(named(row["caption_1"]) | named(row["caption_2"]))
        answers.append(heard(found))
        likely = {s: max(found.labels[one] for one in labels) for s, (_, labels) in SOURCES.items()}
        shown = " ".join(f"{source} {value:.2f}" for source, value in likely.items())
        place = max(found.scenes, key=lambda scene: found.scenes[scene])
        print(f"{row['file']} {f1(truths[-1], answers[-1]):.2f} {'/'.join(sorted(truths[-1])):32} {shown} {place}")
    commonest = max(SOURCES, key=lambda source: sum(source in truth for truth in truths))
    always = [frozenset([commonest])] * len(truths)
    for name, tried in (("heard", answers), (f"always {commonest}", always)):
        hits = sum(len(t & a) for t, a in zip(truths, tried, strict=True))
        micro = 2 * hits / sum(len(t) + len(a) for t, a in zip(truths, tried, strict=True))
        each = [_source_f1(source, truths, tried) for source in SOURCES]
        mean = np.mean([f1(t, a) for t, a in zip(truths, tried, strict=True)])
        print(f"{name}: mean F1 of recordings {mean:.3f}, of sources {np.mean(each):.3f}, of all answers {micro:.3f}")
        print("   " + " ".join(f"{source} {value:.2f}" for source, value in zip(SOURCES, each, strict=True)))


def _source_f1(source: str, truths: list[frozenset[str]], answers: list[frozenset[str]]) -> float:
    both = sum(source in t and source in a for t, a in zip(truths, answers, strict=True))
    return 2 * both / max(1, sum(source in t for t in truths) + sum(source in a for a in answers))


def speed(model: EventModel) -> float:
    """Seconds of stereo at 44.1 kHz that a second of processor time recognises."""
    block = np.random.default_rng(1).normal(0, 0.1, (44_100 * 120, 2)).astype(np.float32)
    summary(recognise([block[:441_000]], 44_100, model), model)  # what is loaded once
    begun = time.process_time()
    summary(recognise([block], 44_100, model), model)
    return 120 / (time.process_time() - begun)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=WEIGHTS)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--scenes", type=int, default=0)
    parser.add_argument("--seed", type=int, default=2_000)
    chosen = parser.parse_args()
    model = read_model(chosen.model)
    print(f"speed: {speed(model):.0f} times real time")
    if chosen.real is not None:
        real(model, chosen.real)
    if chosen.scenes:
        found = synthetic(model, chosen.scenes, chosen.seed)
        for label, (value, positives) in found.items():
            print(f"{label}: AUC {value:.3f}, {positives} positives")
        print(f"macro AUC {np.mean([value for value, _ in found.values()]):.3f} over {len(found)} labels")


if __name__ == "__main__":
    main()
