"""`python -m training`: reads the corpora, trains, writes the GGUF and measures it. Interrupted, it goes on where it was."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

#: Without these, glibc gives every large block back to the system and idle OpenMP threads spin: half the speed on a busy machine.
_FAST_MEMORY = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=8589934592:glibc.malloc.trim_threshold=17179869184"
    ":glibc.malloc.mmap_max=0:glibc.malloc.top_pad=268435456",
}
_ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the steps that the command line names. Returns the exit code."""
    options = _parser().parse_args(arguments)
    if sys.platform == "linux" and "OMP_WAIT_POLICY" not in os.environ and options.step in ("all", "train", "baseline"):
        os.execve(sys.executable, [sys.executable, "-m", "training", *sys.argv[1:]], {**os.environ, **_FAST_MEMORY})
    from training import corpus

    folk = options.folk or corpus.music21_corpus()
    reading, tunes = corpus.read_and_split(folk, options.lead_sheets)
    sizes = f"{len(tunes.training)} to train on, {len(tunes.validation)} to watch, {len(tunes.held_out)} held out"
    print(f"{len(reading.tunes)} tunes in {tunes.families} families: {sizes}", flush=True)
    options.work.mkdir(parents=True, exist_ok=True)
    if options.step == "corpus":
        for reason, count in reading.left_out.most_common():
            print(f"left out {count:5} {reason}")
        names = "".join(f"{name}\n" for name in sorted(tune.source for tune in tunes.held_out))
        (options.work / "held-out.txt").write_text(names, encoding="utf-8", newline="\n")
        print(f"held-out list: {options.work / 'held-out.txt'}, SHA-256 {tunes.held_out_hash}")
    if options.step in ("all", "train"):
        from training.steps import train_and_export

        train_and_export(
            tunes, options.work, options.output, options.kind, options.characters, not options.no_compile, options.minutes
        )
    if options.step == "export":
        from training.steps import export_checkpoint

        export_checkpoint(tunes, options.work, options.output, options.kind)
    if options.step in ("all", "baseline"):
        from training.steps import run_baseline

        run_baseline(tunes, options.work, not options.no_compile)
    if options.step in ("all", "evaluate"):
        from training.report import report

        report(reading.tunes, tunes, options.work, options.output, options.samples)
    if options.step in ("all", "reference"):
        from training.reference import write_reference

        print(write_reference(tunes, options.reference))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument(
        "step", nargs="?", default="all", choices=("all", "corpus", "train", "export", "baseline", "evaluate", "reference")
    )
    parser.add_argument(
        "--folk", type=Path, help="folder with oneills1850, ryansMammoth, airdsAirs, miscFolk (default: music21's corpus)"
    )
    parser.add_argument("--lead-sheets", type=Path, help="folder of OpenEWLD .mxl files")
    parser.add_argument(
        "--work", type=Path, default=_ROOT / "training" / "work", help="where checkpoints and measurements are kept"
    )
    parser.add_argument(
        "--output", type=Path, default=_ROOT / "models" / "composer.built-in.gguf", help="the GGUF to write and measure"
    )
    parser.add_argument(
        "--reference",
        type=Path,
        default=_ROOT / "llm_music_gen" / "evaluating" / "humans.npz",
        help="the file with which `evaluate` compares songs",
    )
    parser.add_argument("--kind", default="f16", choices=("f16", "q8_0"), help="how the GGUF keeps its weights")
    parser.add_argument("--characters", type=int, help="how many characters to train on")
    parser.add_argument(
        "--minutes", type=float, help="finish training in so many minutes from now, whatever this machine makes of them"
    )
    parser.add_argument("--samples", type=int, default=150, help="tunes sampled to look for copying")
    parser.add_argument("--no-compile", action="store_true", help="train without torch.compile (no C++ compiler needed, slower)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
