"""Whether a simple classifier tells the styles apart: `python benchmarks/style_classifier.py --cache FOLDER [--budget-s N]`.

Trains on songs with one soundfont and tests on songs with another and other tunes and seeds, else it would learn program numbers
and tunes. Songs are short; what is looked at is their middle. Clips have the same loudness, and every feature is counted in
beats, not in seconds, so neither level nor tempo gives a style away. Features: MFCC, onsets, chroma; linear discriminant analysis
with a shrunk covariance. Prints the confusion matrix, the share that is right with Wilson's 95 % interval, over styles and over
their sheets' own families, and where "Chill, Dubstep" lies between its parents.

Rendering is resumable: features of each clip stand in the cache under the hash of its style sheet; `--budget-s` stops in time.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.composing.theme import SongRequest, plan_theme
from llm_music_gen.domain.progress import finish
from llm_music_gen.llm.registry import built_in_composer
from llm_music_gen.settings import Settings
from llm_music_gen.sound.mix import render_mix
from llm_music_gen.sound.soundfonts import find_soundfont
from llm_music_gen.sound.tone import Wanted, toned
from llm_music_gen.studio.band import played
from llm_music_gen.studio.seeds import stream, stream_seed
from llm_music_gen.studio.song import style_sha256
from llm_music_gen.studio.tune_fallback import tune_by
from llm_music_gen.studio.writer_model import WriterModel
from llm_music_gen.styles import Style, load_styles
from llm_music_gen.units import SAMPLE_RATE_HZ

Features = NDArray[np.float64]
#: Songs of this length, and so much from their middle.
SONG, CLIP_S = "28s", 13.0
TRAIN_SEED, TEST_SEED = 1_000, 900_000
STEPS_PER_BEAT, CEPSTRA, BANDS = 4, 20, 40
SHRINKAGE = 0.35
MIXED = ("chill, dubstep", ("chill", "dubstep"))
LEAST_RIGHT, LEAST_BOUND = 0.80, 0.77
#: A change of features makes the cache anew.
RECIPE = "2"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder for the features of clips")
    parser.add_argument("--clips", type=int, default=20, help="of each style, for training and again for testing")
    parser.add_argument("--styles", help="names separated by commas (default: all)")
    parser.add_argument("--train-soundfont", help="default: the one that comes with pretty_midi")
    parser.add_argument("--test-soundfont", default="/usr/share/sounds/sf2/FluidR3_GM.sf2")
    parser.add_argument("--budget-s", type=float, default=math.inf, help="stop rendering after this time and judge what is there")
    options = parser.parse_args()
    styles = load_styles()
    names = [name.strip() for name in options.styles.split(",")] if options.styles else sorted(styles)
    fonts = [find_soundfont(font).path for font in (options.train_soundfont, options.test_soundfont)]
    options.cache.mkdir(parents=True, exist_ok=True)
    wanted = [*names, *([MIXED[0]] if set(MIXED[1]) <= set(names) else [])]
    tasks = [
        (name, side, first + number)
        for number in range(options.clips)
        for side, first in enumerate((TRAIN_SEED, TEST_SEED))
        for name in wanted
        if side == 1 or name != MIXED[0]
    ]
    clips: dict[tuple[str, int], list[Features]] = {}
    missing = 0
    with closing(WriterModel(built_in_composer(), Settings())) as writer:
        started_s = time.monotonic()
        for name, side, seed in tasks:
            path = options.cache / f"{_task_hash(name, styles, fonts[side], seed)}.npy"
            if not path.is_file():
                if time.monotonic() - started_s > options.budget_s:
                    missing += 1
                    continue
                np.save(path, features_of_song(name, seed, styles, fonts[side], writer, options.cache))
            clips.setdefault((name, side), []).append(np.load(path))
    least = min(len(clips.get((name, side), [])) for name in names for side in (0, 1))
    print(f"{sum(map(len, clips.values()))} clips, at least {least} a style and side; {missing} still to be rendered")
    return judge(names, clips, styles) if least >= 2 else 1


def features_of_song(
    words: str, seed: int, styles: Mapping[str, Style], font: Path, writer: WriterModel, folder: Path
) -> Features:
    """Make a song as `generate` does, up to the master, and count the middle of it."""
    request = SongRequest(tuple(words.split(", ")), parse_length(SONG))
    planned = plan_theme(request, styles, np.random.default_rng(stream(seed, "theme")))
    tune = finish(tune_by(planned.theme, writer, seed=stream_seed(seed, "tune"), temperature=writer.settings.temperature)).tune
    arrangement = played(planned.theme, tune.sheet, planned.style, stream(seed, "arrangement"))
    raw = folder / f"{hashlib.sha256(f'{words}{seed}{font}'.encode()).hexdigest()[:12]}.f32"
    spectrum = planned.style.spectrum
    try:
        mix = finish(render_mix(arrangement, font, raw))
        mix = finish(toned(mix, Wanted(spectrum.tilt_db_per_octave, spectrum.low_percent)))
        samples = np.fromfile(mix.path, dtype=np.float32).reshape(-1, 2)
    finally:
        for path in folder.glob(f"{raw.stem}*"):
            path.unlink(missing_ok=True)
    length = int(CLIP_S * SAMPLE_RATE_HZ)
    start = max(0, (len(samples) - length) // 2)
    return clip_features(samples[start : start + length], SAMPLE_RATE_HZ, arrangement.tempo_bpm)


def clip_features(samples: NDArray[np.float32], rate_hz: int, tempo_bpm: float) -> Features:
    """MFCC, onsets and chroma of a clip, shape (features,), by quarters of a beat: loudness and tempo are taken out."""
    mono = samples.mean(axis=1).astype(np.float64)
    mono /= max(1e-9, float(np.sqrt(np.mean(mono**2))))
    # Halves and doubles of a tempo are matters of writing.
    beat_s = 60 / tempo_bpm
    while beat_s > 0.75:
        beat_s /= 2
    while beat_s < 0.375:
        beat_s *= 2
    window, hop = 2_048, max(1, round(beat_s / STEPS_PER_BEAT / 4 * rate_hz))
    power = np.array([np.abs(np.fft.rfft(frame * np.hanning(window))) ** 2 for frame in _frames(mono, window, hop)])
    hz = np.fft.rfftfreq(window, 1 / rate_hz)
    loud = np.log(power @ _mel_bank(hz).T + 1e-4)
    turn = np.cos(np.pi / BANDS * np.outer(np.arange(CEPSTRA), np.arange(BANDS) + 0.5))
    cepstra = loud @ turn.T / BANDS
    change = np.diff(cepstra[::STEPS_PER_BEAT], axis=0)
    rises = np.maximum(np.diff(loud, axis=0), 0.0)
    parts = [cepstra.mean(axis=0), cepstra.std(axis=0), change.std(axis=0)]
    for low, high in ((0, 8), (8, 20), (20, 30), (30, 40)):
        flux = rises[:, low:high].mean(axis=1)
        even = flux - flux.mean()
        lags = np.arange(1, 17) * 4
        likeness = [float(even[:-lag] @ even[lag:]) / max(1e-9, float(even @ even)) for lag in lags]
        parts.append(
            np.array([*likeness, flux.mean(), flux.std(), float(np.mean(even**3)) / max(1e-9, float(np.std(even)) ** 3)])
        )
    chroma = np.zeros((len(power), 12))
    used = (hz > 80) & (hz < 2_000)
    np.add.at(chroma.T, np.round(69 + 12 * np.log2(hz[used] / 440)).astype(int) % 12, np.sqrt(power[:, used]).T)
    chroma /= np.maximum(chroma.sum(axis=1, keepdims=True), 1e-9)
    mean = chroma.mean(axis=0)
    around = [float(mean @ np.roll(mean, turn_by)) / float(mean @ mean) for turn_by in range(1, 7)]
    spread = -np.sum(chroma * np.log(chroma + 1e-9), axis=1)
    moved = np.abs(chroma[16:] - chroma[:-16]).sum(axis=1)
    side = samples[:, 0] - samples[:, 1]
    width = float(np.log(np.mean(side**2) + 1e-9) - np.log(np.mean(samples**2) + 1e-9))
    parts += [np.array(around), np.array([spread.mean(), spread.std(), moved.mean(), moved.std(), width])]
    return np.concatenate(parts)


def judge(names: Sequence[str], clips: Mapping[tuple[str, int], Sequence[Features]], styles: Mapping[str, Style]) -> int:
    """Train, test, print; 0 where the target is met."""
    train = np.array([clip for name in names for clip in clips[name, 0]])
    labels = np.array([number for number, name in enumerate(names) for _ in clips[name, 0]])
    middle, scale = train.mean(axis=0), train.std(axis=0) + 1e-9
    model = Discriminant((train - middle) / scale, labels)
    tested = [(number, clip) for number, name in enumerate(names) for clip in clips[name, 1]]
    found = model.probabilities((np.array([clip for _, clip in tested]) - middle) / scale).argmax(axis=1)
    truth = np.array([number for number, _ in tested])
    confusion = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(confusion, (truth, found), 1)
    _print_confusion(names, confusion)
    right = int((found == truth).sum())
    families = np.array([hash_of(styles[name].family) for name in names])
    low, high = wilson(right, len(truth))
    print(f"styles right: {right} of {len(truth)}, {right / len(truth):.3f} (95 %: {low:.3f} to {high:.3f}; wanted 0.80, 0.77)")
    kin = int((families[found] == families[truth]).sum())
    low_kin, high_kin = wilson(kin, len(truth))
    print(f"families right: {kin} of {len(truth)}, {kin / len(truth):.3f} (95 %: {low_kin:.3f} to {high_kin:.3f})")
    if clips.get((MIXED[0], 1)):
        _print_mixed(names, model, [(clip - middle) / scale for clip in clips[MIXED[0], 1]])
    return 0 if right / len(truth) >= LEAST_RIGHT and low >= LEAST_BOUND else 1


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    z, share = 1.959964, hits / count
    centre = share + z * z / (2 * count)
    reach = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (centre - reach) / (1 + z * z / count), (centre + reach) / (1 + z * z / count)


class Discriminant:
    """Linear discriminant analysis: one covariance for all classes, drawn towards its own diagonal."""

    def __init__(self, rows: Features, labels: NDArray[np.int64]) -> None:
        self.means = np.array([rows[labels == label].mean(axis=0) for label in range(int(labels.max()) + 1)])
        within = rows - self.means[labels]
        covariance = within.T @ within / max(1, len(rows) - len(self.means))
        covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.diag(np.diag(covariance)) + 1e-6 * np.eye(len(covariance))
        self.weights = np.linalg.solve(covariance, self.means.T)
        self.offsets = -0.5 * np.sum(self.means * self.weights.T, axis=1)

    def scores(self, rows: Features) -> Features:
        """Logarithms of the likelihoods but for what all classes share, shape (rows, classes)."""
        return np.asarray(rows @ self.weights + self.offsets, dtype=np.float64)

    def probabilities(self, rows: Features) -> Features:
        """Of every class, shape (rows, classes)."""
        scores = self.scores(rows)
        grown = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(grown / grown.sum(axis=1, keepdims=True), dtype=np.float64)


def _print_mixed(names: Sequence[str], model: Discriminant, rows: Sequence[Features]) -> None:
    """Where the mixed style lies on the line between its parents, and what it is taken for."""
    one, other = (names.index(name) for name in MIXED[1])
    scores = model.scores(np.array(rows))
    # The discriminant of the two parents alone, 0 at the first one's mean and 1 at the other's.
    line = scores[:, other] - scores[:, one]
    ends = model.scores(model.means[[one, other]])
    start, end = ends[0, other] - ends[0, one], ends[1, other] - ends[1, one]
    place = float(np.mean((line - start) / (end - start)))
    taken = dict(Counter(names[number] for number in scores.argmax(axis=1)).most_common())
    print(f'"{MIXED[0]}": at {place:.2f} from {MIXED[1][0]} (0) to {MIXED[1][1]} (1); taken for {taken}')


def _print_confusion(names: Sequence[str], confusion: NDArray[np.int64]) -> None:
    width = max(map(len, names))
    print(" " * width + "  " + " ".join(f"{number:2}" for number in range(1, len(names) + 1)))
    for number, (name, row) in enumerate(zip(names, confusion, strict=True)):
        wrong = ", ".join(f"{names[place]} {row[place]}" for place in np.argsort(-row) if row[place] and place != number)
        print(f"{name:{width}}  " + " ".join(f"{count or '.':>2}" for count in row) + f"  {number + 1:2} {wrong}")


def _frames(mono: NDArray[np.float64], window: int, hop: int) -> Iterator[NDArray[np.float64]]:
    for start in range(0, max(1, len(mono) - window + 1), hop):
        yield np.pad(mono[start : start + window], (0, max(0, window - len(mono[start : start + window]))))


def _mel_bank(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Triangles that are even on O'Shaughnessy's mel scale from 40 Hz to 14 kHz, shape (bands, lines)."""
    mel = np.linspace(2595 * np.log10(1 + 40 / 700), 2595 * np.log10(1 + 14_000 / 700), BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    rising = (hz[None, :] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - hz[None, :]) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0.0, np.minimum(rising, falling))


def _task_hash(name: str, styles: Mapping[str, Style], font: Path, seed: int) -> str:
    sheets = "".join(style_sha256(styles[part]) for part in name.split(", "))
    return hashlib.sha256(f"{RECIPE}|{sheets}|{font.name}|{seed}|{SONG}|{CLIP_S}".encode()).hexdigest()[:32]


def hash_of(text: str) -> int:
    """A number that is the same for the same text."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:6], "big")


if __name__ == "__main__":
    sys.exit(main())
