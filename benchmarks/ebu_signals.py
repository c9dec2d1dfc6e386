"""The meter, ffmpeg's ebur128 and AutoGain on every signal of EBU Tech 3341 and 3342 that can be synthesised.

    python -m benchmarks.ebu_signals [--only 3341-2]

For each signal: loudness, range and true peak by both meters, and what AutoGain made of it for three targets. Wanted: what the
documents want, both meters within 0.1 of each other, AutoGain within 0.1 LU of its target and never above its ceiling. Ends
with 1 where something is off. Needs ffmpeg. Left out are the four authentic programmes (3341-7 and -8, 3342-5 and -6).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.unit.processing.ebu_checks import ON_THE_GATE, check
from tests.unit.processing.ebu_signals import SIGNALS

TARGETS = ((-23.0, -1.0), (-14.0, -1.0), (-6.0, -2.5))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="NAME", default="", help="signals whose name begins like this")
    options = parser.parse_args()
    targets = "   ".join(f"to {lufs:g} / {tp:g}".center(17) for lufs, tp in TARGETS)
    print(f"{'':11} {'LUFS':>8} {'ffmpeg':>8}  {'LRA':>6} {'ffmpeg':>6}  {'dBTP':>7} {'ffmpeg':>7}   {targets}")
    bad = count = 0
    worst = dict.fromkeys(("loudness", "true peak", "AutoGain"), 0.0)
    with tempfile.TemporaryDirectory() as folder:
        for signal in SIGNALS:
            if not signal.name.startswith(options.only):
                continue
            checked = check(signal, TARGETS, Path(folder))
            ours, theirs = checked.ours, checked.ffmpeg
            count, bad = count + 1, bad + bool(checked.faults)
            if signal.name != ON_THE_GATE:
                worst["loudness"] = max(worst["loudness"], abs(ours.integrated_lufs - theirs.integrated_lufs))
            worst["true peak"] = max(worst["true peak"], abs(ours.true_peak_dbtp - theirs.true_peak_dbtp))
            missed = [abs(gained.ours.integrated_lufs - gained.lufs) for gained in checked.gained if gained.fits]
            worst["AutoGain"] = max([worst["AutoGain"], *missed])
            reached = "   ".join(
                f"{gained.ours.integrated_lufs:7.2f} / {gained.ours.true_peak_dbtp:6.2f}{' ' if gained.fits else '*'}"
                for gained in checked.gained
            )
            loudness = f"{ours.integrated_lufs:8.3f} {theirs.integrated_lufs:8.3f}  {ours.range_lu:6.2f} {theirs.range_lu:6.2f}"
            peaks = f"{ours.true_peak_dbtp:7.3f} {theirs.true_peak_dbtp:7.3f}"
            print(f"{signal.name:11} {loudness}  {peaks}   {reached}", flush=True)
            for fault in checked.faults:
                print(f"{'':11} NOT as wanted: {fault}")
    print("* the ceiling leaves no room for this loudness")
    print(f"{ON_THE_GATE} has a window exactly on the relative gate, which the last bit decides: its loudness is not compared")
    print("largest differences: " + ", ".join(f"{what} {value:.3f}" for what, value in worst.items()))
    print(f"{count - bad} of {count} signals as wanted")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
