"""How finished songs of every style measure against their sheets: `python benchmarks/style_scores.py --out FOLDER`.

Makes songs with the built-in composer, masters them, decodes the files, and prints for each style every figure of
docs/guide/evaluating.md's style score beside its range: a line a style, means over its songs, what failed in how many of them.

    python benchmarks/style_scores.py --styles "chill, house" --songs 3 --length 35s --seed 41
    python benchmarks/style_scores.py --out FOLDER          keeps songs and figures; what is unchanged is not made again
    python benchmarks/style_scores.py --out FOLDER --rows   the figures as rows for docs/styles.md

Leaves with 1 when a style's mean score is under 0.75, or any file is not -14 LUFS +-0.5, over -1 dBTP, or out of phase.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from llm_music_gen.domain.progress import finish
from llm_music_gen.paths import studio_paths
from llm_music_gen.settings import load_settings
from llm_music_gen.studio.evaluation import evaluate_song
from llm_music_gen.studio.request import GenerateRequest
from llm_music_gen.studio.studio import Studio
from llm_music_gen.styles import Style, load_styles

LEAST_SCORE = 0.75
_PACKAGE = Path(__file__).resolve().parents[1] / "llm_music_gen"
#: A change of any of these may change how songs sound.
_SOUNDING = ("arranging", "composing", "sound", "styles", "studio/delivery.py", "studio/song.py", "evaluating")
Facts = Mapping[str, Any]


def main() -> int:
    """Print the table; exit code 1 when something is out of its range."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--styles", help="names separated by commas (default: all)")
    parser.add_argument("--songs", type=int, default=3, help="songs of each style, each with a seed of its own")
    parser.add_argument("--seed", type=int, default=41, help="of the first song of the first style")
    parser.add_argument("--length", default="35s")
    parser.add_argument("--out", type=Path, help="keep songs and figures here")
    parser.add_argument("--rows", action="store_true", help="print rows for docs/styles.md")
    args = parser.parse_args()
    styles = load_styles()
    names = [name.strip() for name in args.styles.split(",")] if args.styles else list(styles)
    with TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        measured: dict[str, list[Facts]] = {name: [] for name in names}
        for facts in songs(args.out or Path(scratch), names, args.songs, args.seed, args.length):
            measured[facts["style"]].append(facts)
    if args.rows:
        for name in names:
            print(row(name, styles[name], measured[name]))
        return 0
    for name in names:
        print(line(name, styles[name], measured[name]))
    return summed_up(measured)


def songs(folder: Path, names: Sequence[str], count: int, seed: int, length: str) -> Iterator[Facts]:
    """Figures of `count` songs of each style, from figures.jsonl in the folder where nothing has changed since."""
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "figures.jsonl"
    lines = record.read_text(encoding="utf-8").splitlines() if record.is_file() else []
    known = {facts["task"]: facts for facts in map(json.loads, lines)}
    code = digest(path for part in _SOUNDING for path in sorted((_PACKAGE / part).rglob("*.py")) or [_PACKAGE / part])
    styles = load_styles()
    paths = studio_paths()
    settings = load_settings(paths.settings_file).model_copy(update={"output_dir": ""})
    with Studio(replace(paths, data_dir=folder), settings) as studio:
        for name in names:
            sheet = digest([_PACKAGE / "styles" / "sheets" / f"{name.replace(' ', '_').replace('-', '_')}.toml"])
            for number in range(count):
                # Seeds of its own, so that the tunes of one style do not come back in the next one.
                own_seed = seed + 1_000 * list(styles).index(name) + number
                task = f"{name}|{own_seed}|{length}|{sheet}|{code}"
                if task not in known:
                    request = GenerateRequest.from_words(name, length=length, seed=own_seed, formats="wav")
                    song = finish(studio.generate(request))[0].song
                    if song is None:
                        raise SystemExit(f"No song of {name} came about.")
                    facts = evaluate_song(song, load_styles())  # as they are now: sheets may be under work
                    known[task] = {"task": task, "style": name, **facts}
                    with record.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(known[task], ensure_ascii=False) + "\n")
                yield known[task]


def digest(files: Iterator[Path] | Sequence[Path]) -> str:
    """A short name for what stands in these files."""
    hashed = hashlib.sha256()
    for path in files:
        hashed.update(path.read_bytes())
    return hashed.hexdigest()[:12]


def line(name: str, style: Style, measured: Sequence[Facts]) -> str:
    """One style: wanted figures, then each song's, then what failed."""
    wanted = style.spectrum
    peaks = [facts["true_peak_dbtp"] - facts["lufs"] for facts in measured]
    failed = Counter(check for facts in measured for check, kept in facts["style_checks"].items() if not kept)
    return (
        f"{name:16} {score(measured):.2f}"
        f" | tilt {wanted.tilt_db_per_octave:g}: {_values(measured, 'tilt_db_per_octave', 1)}"
        f" | low {wanted.low_percent:g}: {_values(measured, 'low_percent', 0)}"
        f" | peak {_range(wanted.peak_to_loudness_db)}: {' '.join(f'{peak:.1f}' for peak in peaks)}"
        f" | LRA {_range(wanted.loudness_range_lu)}: {_values(measured, 'loudness_range_lu', 1)}"
        f" | {', '.join(f'{check} {times}' for check, times in failed.items()) or 'all kept'}"
    )


def row(name: str, style: Style, measured: Sequence[Facts]) -> str:
    """The figures of a style as a row for docs/styles.md: wanted and measured."""
    wanted = style.spectrum
    means = {key: fmean(facts[key] for facts in measured) for key in ("tilt_db_per_octave", "low_percent", "loudness_range_lu")}
    peak = fmean(facts["true_peak_dbtp"] - facts["lufs"] for facts in measured)
    return (
        f"| {name} | {wanted.low_percent:g}, {means['low_percent']:.0f} | {wanted.tilt_db_per_octave:g}, "
        f"{means['tilt_db_per_octave']:.1f} | {_range(wanted.peak_to_loudness_db)}, {peak:.1f} | "
        f"{_range(wanted.loudness_range_lu)}, {means['loudness_range_lu']:.1f} | {score(measured):.2f} |"
    )


def summed_up(measured: Mapping[str, Sequence[Facts]]) -> int:
    """Print what holds over all songs; 1 when something does not."""
    every = [facts for group in measured.values() for facts in group]
    scores = {name: score(group) for name, group in measured.items()}
    under = {name: round(value, 2) for name, value in scores.items() if value < LEAST_SCORE}
    loud = [facts["lufs"] for facts in every]
    peak = max(facts["true_peak_dbtp"] for facts in every)
    print(f"\nstyle score: mean {fmean(scores.values()):.3f}, lowest {min(scores.values()):.2f}")
    print(f"under {LEAST_SCORE}: {under or 'none'}")
    print(f"loudness {min(loud):.2f} to {max(loud):.2f} LUFS; highest true peak {peak:.2f} dBTP")
    for key, unit, worst in (("lowest_correlation", "", min), ("low_side_db", " dB", max), ("longest_silence_s", " s", max)):
        found = worst(every, key=lambda facts: facts[key])
        print(f"worst {key.replace('_', ' ')}: {found[key]:.2f}{unit} ({found['style']})")
    good = (
        not under and all(abs(value + 14) <= 0.5 for value in loud)
        and all(facts["true_peak_dbtp"] <= -1 and facts["lowest_correlation"] > 0 for facts in every)
    )  # fmt: skip
    return 0 if good else 1


def score(measured: Sequence[Facts]) -> float:
    """Mean style score."""
    return fmean(facts["style_score"] for facts in measured)


def _values(measured: Sequence[Facts], key: str, places: int) -> str:
    return " ".join(f"{facts[key]:.{places}f}" for facts in measured)


def _range(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:g}-{bounds[1]:g}"


if __name__ == "__main__":
    raise SystemExit(main())
