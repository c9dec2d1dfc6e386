"""Levels of instruments and parts, measured: where the trims of arranging/trims.py and the `levels_db` of the sheets come from.

    python benchmarks/part_levels.py --instruments        prints the trims: a phrase on every General MIDI program and own voice
    python benchmarks/part_levels.py [--styles LIST]      prints what each part of each style measures beside its sheet
    python benchmarks/part_levels.py --write              sets `levels_db` so that parts have the loudness of TARGETS, then moves
                                                          bass, drums and tilt towards the sheet's spectrum, at most a few dB

Parts are measured while they sound (gated loudness of the part alone, BS.1770-4), in songs of the built-in planner.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.composing.theme import SongRequest, plan_theme
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.progress import finish
from llm_music_gen.domain.score import Arrangement, Part, PlayedNote
from llm_music_gen.sound.mix import RenderedMix, render_mix
from llm_music_gen.sound.soundfonts import find_soundfont
from llm_music_gen.studio.band import played
from llm_music_gen.styles import Style, load_styles
from llm_music_gen.styles.sounds import GM_NAMES, VOICE_PROGRAMS, instrument_named
from tests.fakes.tunes import lead_sheet

#: What a part measures at 0 dB in its sheet.
REFERENCE_LUFS = -25.0
MOST_TRIM_DB = 8.0
_SHEETS = Path(__file__).resolve().parents[1] / "llm_music_gen" / "styles" / "sheets"
_BASSES = {*range(32, 40), 43, 58, 87}
_FFT = 16_384

#: Loudness of parts while they sound, in LU beside the reference. What a style leaves out is as in "".
TARGETS: Mapping[str, Mapping[str, float]] = {
    "": {"melody": 0, "counter": -5, "chords": -5, "pad": -8, "arp": -7, "bass": -3, "sub": -5, "drums": -2, "fx": -8},
    "ambient": {"melody": -4, "pad": 0, "bass": -6, "arp": -8, "drums": -8},
    "baroque": {"counter": -2, "chords": -7, "pad": -5},
    "blues": {"chords": -6, "bass": -4, "drums": -4},
    "bossa nova": {"chords": -4, "bass": -5, "drums": -8, "pad": -10},
    "celtic": {"counter": -2, "chords": -6, "drums": -6, "bass": -9, "pad": -10},
    "chill": {"chords": -6, "pad": -10, "arp": -8},
    "chiptune": {"chords": -4, "bass": -2, "drums": -4},
    "cinematic": {"pad": -3, "chords": -4, "drums": -3, "bass": -4},
    "classical": {"bass": -5},
    "country": {"chords": -6, "bass": -4, "drums": -4, "counter": -7},
    "deep house": {"melody": -4, "drums": 0, "bass": -2, "chords": -6, "pad": -10},
    "disco": {"drums": -1, "bass": -1, "chords": -8, "pad": -5},
    "downtempo": {"drums": -3, "bass": -2, "chords": -7, "pad": -9},
    "drone": {"melody": -6, "pad": -4, "chords": -4, "bass": -2, "counter": -8},
    "drum and bass": {"melody": -4, "drums": 0, "bass": -2, "sub": -3, "pad": -10, "chords": -7},
    "dub": {"melody": -4, "drums": -1, "bass": 0, "chords": -8, "pad": -9},
    "dubstep": {"melody": -5, "drums": 0, "bass": -1, "sub": -3, "pad": -9},
    "epic orchestral": {"drums": 0, "pad": -2, "counter": -2, "chords": -4},
    "folk": {"chords": -4, "bass": -8, "counter": -7, "drums": -10},
    "funk": {"melody": -2, "drums": 0, "bass": 0, "chords": -7, "counter": -4},
    "gospel": {"counter": -3, "pad": -5, "bass": -5, "drums": -4},
    "hip hop": {"melody": -4, "drums": -1, "bass": 0, "chords": -6},
    "house": {"melody": -3, "drums": 0, "chords": -4, "pad": -10},
    "impressionist": {"arp": -4, "bass": -6},
    "jazz": {"chords": -3, "drums": -6},
    "latin": {"counter": -2, "chords": -4, "drums": -3},
    "lo-fi": {"melody": -2, "chords": 0, "drums": -1},
    "lullaby": {"arp": -5, "pad": -10, "bass": -9, "chords": -6},
    "meditation": {"melody": -3, "pad": 0, "bass": -5, "chords": -6, "drums": -12},
    "metal": {"drums": 0, "chords": 0, "bass": -4},
    "new age": {"chords": -3, "arp": -5, "bass": -7, "drums": -14},
    "pop": {"bass": -4, "chords": -7, "pad": -10},
    "reggae": {"bass": 0, "chords": -7, "pad": -9},
    "rock": {"drums": 0, "chords": -3},
    "romantic": {"bass": -6, "chords": -6},
    "soul": {"chords": -6, "pad": -9, "counter": -7},
    "space": {"melody": -4, "pad": 0, "bass": -4, "arp": -9, "drums": -8},
    "swing": {"counter": -3, "chords": -8, "bass": -4, "drums": -6},
    "synthwave": {"drums": -1, "chords": -6, "arp": -8},
    "tango": {"counter": -3, "chords": -3, "bass": -4},
    "techno": {"melody": -5, "drums": 0, "bass": -3, "chords": -6, "pad": -13},
    "trance": {"drums": -1, "bass": -4, "arp": -6},
    "trip hop": {"drums": -1, "bass": -2, "chords": -7, "pad": -7},
    "waltz": {"counter": -4, "chords": -9, "pad": -4, "bass": -6},
    "world": {"drums": -3, "pad": -10, "bass": -6},
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One part of one song."""

    lufs: float
    power: NDArray[np.float64]
    """Density summed over the song, shape (_FFT // 2 + 1,)."""


def main() -> None:
    """Print, or set, levels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instruments", action="store_true", help="measure trims")
    parser.add_argument("--styles", help="names separated by commas (default: all)")
    parser.add_argument("--songs", type=int, default=3)
    parser.add_argument("--length", default="35s")
    parser.add_argument("--soundfont", help="SF2 or SF3 file (default: the one that the studio takes)")
    parser.add_argument("--write", action="store_true", help="change the sheets")
    args = parser.parse_args()
    soundfont = find_soundfont(args.soundfont).path
    if args.instruments:
        print_trims(soundfont)
        return
    styles = load_styles()
    for name in [name.strip() for name in args.styles.split(",")] if args.styles else styles:
        songs = [parts_of(name, styles, seed, args.length, soundfont) for seed in range(args.songs)]
        levels, tilt_db, told = balanced(styles[name], songs)
        print(f"{name:16} {told}", flush=True)
        if args.write:
            _rewrite(name, levels, tilt_db)


def print_trims(soundfont: Path) -> None:
    """What each instrument needs to be as loud as the reference, at most MOST_TRIM_DB."""
    for name in (*GM_NAMES, *(f"<{voice}>" for voice in VOICE_PROGRAMS)):
        instrument = instrument_named(name)
        low, high = instrument.range
        bass = instrument.program in _BASSES or instrument.name in ("sub", "bass808", "reese", "wobble")
        pitches = [(36 if bass else 60) + step for step in (0, 4, 7, 9, 12, 9, 7, 4)]
        pitches = [pitch + 12 * (pitch < low) - 12 * (pitch > high) for pitch in pitches]
        notes = tuple(PlayedNote(float(place), 0.9, pitch, 84) for place, pitch in enumerate(pitches))
        part = Part(name, "melody", instrument.program, notes, voice=instrument.voice, gain_db=0.0, pan=0.0, reverb_send=0.0)
        song = Arrangement(
            "A phrase", Key("C", "major"), Meter.parse("4/4"), 100, (part,), length_frames=6 * 44_100, mix={"glue": 0.0}
        )
        trim_db = float(np.clip(REFERENCE_LUFS - alone(song, soundfont).lufs, -MOST_TRIM_DB, MOST_TRIM_DB))
        print(f"{name}: {round(2 * trim_db) / 2:g}")


def parts_of(name: str, styles: Mapping[str, Style], seed: int, length: str, soundfont: Path) -> dict[str, Measured]:
    """Role -> what its part measures alone in one song, through the bus, without the sections' levels."""
    rng = np.random.default_rng([seed, 7])
    planned = plan_theme(SongRequest((name,), parse_length(length)), styles, rng)
    tune = lead_sheet(planned.theme, rng)
    song = replace(played(planned.theme, tune, planned.style, np.random.SeedSequence(seed)), levels=())
    return {part.role: alone(replace(song, parts=(part,)), soundfont) for part in song.parts}


def alone(song: Arrangement, soundfont: Path) -> Measured:
    """Loudness and spectrum of a song as it is."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        mix = finish(render_mix(song, soundfont, Path(folder) / "mix.f32"))
        return Measured(mix.loudness.integrated_lufs, _power(mix))


def balanced(style: Style, songs: list[dict[str, Measured]]) -> tuple[dict[str, float], float, str]:
    """(levels by role, tilt of the bus, what was found) that bring the parts to TARGETS and the sum near the sheet's spectrum."""
    targets = {**TARGETS[""], **TARGETS.get(style.name, {})}
    levels = {str(role): level for role, level in style.mix.levels_db.items()}
    moves: dict[str, float] = {}
    for role in targets:
        found = [song[role].lufs for song in songs if role in song and np.isfinite(song[role].lufs)]
        if found and (role in levels):
            moves[role] = REFERENCE_LUFS + targets[role] - fmean(found)
    heard = " ".join(f"{role} {targets[role] - move:+.1f}/{targets[role]:+g}" for role, move in moves.items())
    low_db, tilt_db = _towards(style, songs, moves)
    for role in ("bass", "sub", "drums"):
        if role in moves:
            moves[role] += low_db if role != "drums" else 0.5 * low_db
    levels |= {role: round(2 * float(np.clip(levels[role] + move, -20, 9))) / 2 for role, move in moves.items()}
    new_tilt_db = round(2 * float(np.clip(style.mix.tilt_db + tilt_db, -6, 6))) / 2
    return levels, new_tilt_db, f"{heard} | bass {low_db:+.1f} tilt {style.mix.tilt_db:g} -> {new_tilt_db:g}"


def _towards(style: Style, songs: list[dict[str, Measured]], moves: Mapping[str, float]) -> tuple[float, float]:
    """(dB for the bass and half of it for the drums, dB of tilt) with which the sums come nearest to the sheet's spectrum."""
    hz = np.fft.rfftfreq(_FFT, 1 / 44_100)
    centres = 1_000 * 2 ** (np.arange(-10, 11) / 3)
    bands = np.stack([(hz >= centre * 2 ** (-1 / 6)) & (hz < centre * 2 ** (1 / 6)) for centre in centres], axis=1)
    octaves = np.log2(centres) - np.log2(centres).mean()
    # The bus's two shelves, an octave wide each way.
    shape = np.clip(np.log2(np.maximum(hz, 1) / 950.0) / 3.3, -1, 1) / 2
    best, cost = (0.0, 0.0), np.inf
    for low_db in np.arange(-5.0, 5.1, 1.0):
        gains = {role: move + {"bass": low_db, "sub": low_db, "drums": low_db / 2}.get(role, 0.0) for role, move in moves.items()}
        sums = [sum(part.power * 10 ** (gains.get(role, 0.0) / 10) for role, part in song.items()) for song in songs]
        for tilt_db in np.arange(-6.0, 6.1, 1.0):
            miss = 0.02 * low_db**2 + 0.02 * tilt_db**2
            for power in sums:
                heard = np.asarray(power) * 10 ** (tilt_db * shape / 10)
                share = 100 * heard[hz < 150].sum() / heard.sum()
                slope = 10 * np.log10(heard @ bands / bands.sum(axis=0) + 1e-20) @ octaves / (octaves**2).sum()
                miss += ((share - style.spectrum.low_percent) / 10) ** 2 + (slope - style.spectrum.tilt_db_per_octave) ** 2
            if miss < cost:
                best, cost = (float(low_db), float(tilt_db)), miss
    return best


def _power(mix: RenderedMix) -> NDArray[np.float64]:
    samples = mix.samples().mean(axis=1)
    frames = samples[: len(samples) // _FFT * _FFT].reshape(-1, _FFT) * np.hanning(_FFT)
    return np.asarray((np.abs(np.fft.rfft(frames, axis=1)) ** 2).sum(axis=0), dtype=np.float64)


def _rewrite(name: str, levels: Mapping[str, float], tilt_db: float) -> None:
    path = next(path for path in _SHEETS.glob("*.toml") if f'\nname = "{name}"\n' in path.read_text(encoding="utf-8"))
    text = path.read_text(encoding="utf-8")
    table = ", ".join(f"{role} = {level:g}" for role, level in levels.items())
    text = re.sub(r"^levels_db = \{.*\}$", f"levels_db = {{ {table} }}", text, flags=re.MULTILINE)
    text = re.sub(r"^tilt_db = .*\n", "", text, flags=re.MULTILINE)
    if tilt_db:
        text = re.sub(r"^(levels_db = .*)$", rf"\1\ntilt_db = {tilt_db:g}", text, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
