"""Songs as pictures to look at: `python benchmarks/style_pictures.py FOLDER PICTURE.png [--styles LIST] [--song N]`.

FOLDER is what benchmarks/style_scores.py kept with --out. Each song is a spectrogram (20 Hz to 16 kHz, logarithmic, 70 dB from
black to white) over its level (short-term loudness without weighting, -40 to 0 dBFS), one tile a style.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from llm_music_gen.sound.decode import audio_info, decoded

COLUMNS, WIDTH, HEIGHT, LEVEL_HEIGHT, GAP = 5, 380, 170, 50, 6
LOW_HZ, HIGH_HZ, FLOOR_DB = 20.0, 16_000.0, 70.0


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--styles", help="names separated by commas (default: all that are there)")
    parser.add_argument("--song", type=int, default=0, help="which song of each style, from 0")
    args = parser.parse_args()
    lines = (args.folder / "figures.jsonl").read_text(encoding="utf-8").splitlines()
    files: dict[str, dict[int, Path]] = {}
    for facts in map(json.loads, lines):
        # The newest line of a seed is the last one.
        files.setdefault(facts["style"], {})[facts["seed"]] = Path(facts["file"])
    names = [name.strip() for name in args.styles.split(",")] if args.styles else sorted(files)
    height = HEIGHT + LEVEL_HEIGHT + 16
    rows = -(-len(names) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (WIDTH + GAP), rows * (height + GAP)), "white")
    draw = ImageDraw.Draw(sheet)
    for place, name in enumerate(names):
        left, top = place % COLUMNS * (WIDTH + GAP), place // COLUMNS * (height + GAP)
        mono, rate_hz = heard(list(files[name].values())[args.song])
        draw.text((left + 3, top + 2), f"{name}, {len(mono) / rate_hz:.0f} s", fill="black")
        sheet.paste(Image.fromarray(spectrogram(mono, rate_hz)), (left, top + 16))
        sheet.paste(Image.fromarray(level(mono)), (left, top + 16 + HEIGHT))
    sheet.save(args.picture)


def heard(path: Path) -> tuple[NDArray[np.float32], int]:
    """The file in mono and its rate."""
    return np.concatenate([block.mean(axis=1) for block in decoded(path)]).astype(np.float32), audio_info(path).sample_rate_hz


def spectrogram(mono: NDArray[np.float32], rate_hz: int, window: int = 8_192) -> NDArray[np.uint8]:
    """Shape (HEIGHT, WIDTH), bright is loud, high is up; the loudest of the moments that share a column."""
    starts = np.linspace(0, max(0, len(mono) - window), 2 * WIDTH).astype(int)
    shape = np.hanning(window).astype(np.float32)
    frames = np.stack([np.abs(np.fft.rfft(np.resize(mono[start : start + window], window) * shape)) for start in starts])
    hz = LOW_HZ * (HIGH_HZ / LOW_HZ) ** (np.arange(HEIGHT) / (HEIGHT - 1))
    places = np.clip(hz * window / rate_hz, 1, window // 2 - 1)
    below = places.astype(int)
    share = (places - below)[None, :]
    rows = frames[:, below] * (1 - share) + frames[:, below + 1] * share
    decibels = 20 * np.log10(rows.reshape(WIDTH, 2, HEIGHT).max(axis=1) + 1e-9)
    # A slope of 4 dB an octave is taken out, or nothing would be seen above 2 kHz.
    decibels += 4 * np.log2(hz / LOW_HZ)[None, :]
    bright = np.clip((decibels - decibels.max()) / FLOOR_DB + 1, 0, 1)
    return np.asarray((255 * bright.T[::-1]).round(), dtype=np.uint8)


def level(mono: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Shape (LEVEL_HEIGHT, WIDTH): black columns as high as the level, with a grey line each 10 dB."""
    pieces = np.array_split(np.square(mono.astype(np.float64)), WIDTH)
    decibels = np.array([10 * np.log10(piece.mean() + 1e-9) if len(piece) else -90.0 for piece in pieces])
    tall = np.clip((decibels + 40) / 40, 0, 1) * LEVEL_HEIGHT
    picture = np.full((LEVEL_HEIGHT, WIDTH), 255, dtype=np.uint8)
    picture[:: LEVEL_HEIGHT // 4] = 190
    rows = LEVEL_HEIGHT - np.arange(LEVEL_HEIGHT)[:, None]
    picture[rows <= tall[None, :]] = 40
    return picture


if __name__ == "__main__":
    main()
