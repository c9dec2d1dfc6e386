"""Figures about what the composer and the band write, with the model that is built in.

    python benchmarks/songs_100.py                     100 songs over major and minor keys: tempo, endings, key
    python benchmarks/songs_100.py --tunes 500         500 tunes over all metres and keys: are they valid ABC with exact bars
    python benchmarks/songs_100.py --tunes 100 --random     the same by random weights with a vocabulary of 32,000 pieces
    python benchmarks/songs_100.py --human FOLDER      the same key finding on human lead sheets, beside the songs' figures
    python benchmarks/songs_100.py --render 5          also render the first songs and compare their length to the frame

Prints one line a figure and leaves with 1 when one is missed.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from llm_music_gen.arranging import write_midi
from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.composing.measures import key_correlations, key_index
from llm_music_gen.composing.theme import PlannedSong, SongRequest, plan_theme
from llm_music_gen.composing.tune import Tune, write_tune
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.progress import finish
from llm_music_gen.domain.score import Arrangement
from llm_music_gen.domain.text_model import TextModel
from llm_music_gen.errors import NotationError
from llm_music_gen.llm.backend import load_model
from llm_music_gen.llm.formats import format_name
from llm_music_gen.llm.gguf import read_gguf_header
from llm_music_gen.llm.registry import built_in_composer
from llm_music_gen.notation.abc_file import write_abc
from llm_music_gen.notation.music21_port import read_abc_with_music21
from llm_music_gen.sound.decode import audio_info
from llm_music_gen.sound.encode import encode
from llm_music_gen.sound.master import master
from llm_music_gen.sound.mix import render_mix
from llm_music_gen.sound.soundfonts import find_soundfont
from llm_music_gen.studio.band import played
from llm_music_gen.styles import load_styles

STYLES = ("chill", "dubstep", "lo-fi", "ambient", "house", "jazz", "folk", "classical")
METERS = ("4/4", "3/4", "6/8", "2/4", "2/2", "9/8", "12/8", "5/4", "7/8")
FINAL_S = 0.75


@dataclass
class Figure:
    """A count with the least that is wanted."""

    name: str
    wanted: int
    hits: int = 0
    total: int = 0

    def add(self, hit: bool) -> None:
        self.hits += hit
        self.total += 1

    @property
    def kept(self) -> bool:
        return self.hits * 100 >= self.wanted * self.total

    def __str__(self) -> str:
        return f"{'ok    ' if self.kept else 'MISSED'} {self.name}: {self.hits} of {self.total} (wanted {self.wanted} %)"


def histogram(arrangement: Arrangement) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Pitch classes of all pitched parts by duration, shape (12,)."""
    weights = np.zeros(12)
    for part in arrangement.parts:
        if not part.is_drums:
            for note in part.notes:
                weights[note.pitch % 12] += note.duration_ql
    return weights


def last_bass_pc(arrangement: Arrangement) -> int:
    """Pitch class of the bass part's last note, or of the lowest last note where no part is a bass; -1 without notes."""
    basses = [part for part in arrangement.parts if part.role == "bass" and part.notes]
    notes = [note for part in basses or arrangement.parts if not part.is_drums for note in part.notes]
    if not notes:
        return -1
    end = max(note.onset_ql for note in notes)
    return min(note.pitch for note in notes if note.onset_ql > end - 0.05) % 12


def final_chord_pcs(arrangement: Arrangement) -> set[int]:
    """Pitch classes that sound at the very end of the written notes."""
    notes = [note for part in arrangement.parts if not part.is_drums and part.role != "fx" for note in part.notes]
    end = max(note.onset_ql + note.duration_ql for note in notes)
    return {note.pitch % 12 for note in notes if note.onset_ql + note.duration_ql > end - FINAL_S}


def is_related(found: int, wanted: Key) -> bool:
    """Same key, its relative, or one a fifth away in the same mode (of major and minor)."""
    tonic, minor = wanted.tonic_pc, wanted.is_minor
    same_mode = {(tonic + shift) % 12 + 12 * minor for shift in (0, 5, 7)}
    relative = (tonic + 3) % 12 if minor else (tonic + 9) % 12 + 12
    return found in same_mode | {relative}


def midi_tempo_bpm(data: bytes, meter: Meter) -> float:
    """The tempo that another program reads from the MIDI file, in the metre's beats."""
    import mido

    file = mido.MidiFile(file=io.BytesIO(data))
    tempos = [message.tempo for track in file.tracks for message in track if message.type == "set_tempo"]
    assert len(tempos) == 1, f"{len(tempos)} tempo messages"
    return 60e6 / float(tempos[0]) / float(meter.beat_ql)


def songs(model: TextModel, form: str, count: int) -> Iterator[tuple[PlannedSong, Tune, Arrangement]]:
    """`count` songs of about two minutes, over all styles and over twelve major and twelve minor keys."""
    styles = load_styles(None)
    names = [name for name in STYLES if name in styles]
    for number in range(count):
        key = Key.from_pc(number * 7 % 12, "minor" if number // 12 % 2 else "major")
        request = SongRequest((names[number % len(names)],), parse_length("2"), key=key)
        planned = plan_theme(request, styles, np.random.default_rng(number))
        tune = finish(write_tune(planned.theme, model, seed=number, format_name=form))
        yield planned, tune, played(planned.theme, tune.sheet, planned.style, np.random.SeedSequence(number))


def measure_songs(model: TextModel, form: str, count: int, render: int) -> list[Figure]:
    """Write and arrange songs and count what must hold."""
    tempo = Figure("requested tempo is the MIDI's", 100)
    bass = Figure("last bass note is the tonic", 100)
    chord = Figure("final chord is the tonic chord", 98)
    exact = Figure("Krumhansl finds the requested key", 80)
    related = Figure("Krumhansl finds it, its relative or one a fifth away", 95)
    frames = Figure("rendered length is equal to the frame", 100)
    for number, (planned, _, arrangement) in enumerate(songs(model, form, count)):
        theme = planned.theme
        key = theme.key
        tempo.add(abs(midi_tempo_bpm(write_midi(arrangement), theme.meter) - theme.tempo_bpm) < 0.01)
        bass.add(last_bass_pc(arrangement) == key.tonic_pc)
        tonic = {key.tonic_pc, (key.tonic_pc + (3 if key.is_minor else 4)) % 12, (key.tonic_pc + 7) % 12}
        final = final_chord_pcs(arrangement)
        chord.add(tonic - {(key.tonic_pc + 7) % 12} <= final and len(final - tonic) <= 1)
        found = int(key_correlations(histogram(arrangement)).argmax())
        exact.add(found == key_index(key))
        related.add(is_related(found, key))
        if number < render:
            frames.add(rendered_frames(arrangement) == theme.length_frames)
        print(f"\r{number + 1} songs", end="", file=sys.stderr)
    print(file=sys.stderr)
    return [tempo, bass, chord, exact, related, *([frames] if render else [])]


def measure_tunes(model: TextModel, form: str, count: int) -> list[Figure]:
    """Write tunes over all metres and keys and let an independent reader (music21) judge them."""
    read = Figure("tunes read by music21 without an exception", 100)
    bars = Figure("bars exactly as long as their metre", 100)
    styles = load_styles(None)
    names = [name for name in STYLES if name in styles]
    for number in range(count):
        modes = ("major", "minor", "dorian", "mixolydian")
        key = Key.from_pc(number % 12, modes[number // 12 % len(modes)])
        meter = Meter.parse(METERS[number % len(METERS)])
        request = SongRequest((names[number % len(names)],), parse_length("30s"), key=key, meter=meter)
        theme = plan_theme(request, styles, np.random.default_rng(number)).theme
        tune = finish(write_tune(theme, model, seed=number, format_name=form))
        text = write_abc(tune.sheet)
        try:
            reading = read_abc_with_music21(text)
        except NotationError as error:
            print(f"tune {number}: {error}", file=sys.stderr)
            read.add(False)
            continue
        [lengths_ql] = reading.bar_lengths_ql
        read.add(len(reading.notes[0]) > 0 and len(lengths_ql) == sum(section.bars for section in tune.sheet.sections))
        for length_ql in lengths_ql:
            bars.add(length_ql == meter.bar_ql)
        print(f"\r{number + 1} tunes", end="", file=sys.stderr)
    print(file=sys.stderr)
    return [read, bars]


def rendered_frames(arrangement: Arrangement) -> int:
    """Render, write a WAV file and count its frames."""
    with tempfile.TemporaryDirectory() as folder:
        mix = finish(render_mix(arrangement, find_soundfont(None).path, Path(folder) / "mix"))
        made = finish(master(mix, -14.0, -1.0))
        path = finish(encode(made.blocks(), mix.frames, Path(folder) / "song.wav", "wav"))
        return audio_info(path).frames


def measure_human(folder: Path) -> None:
    """Print how often the same key finding agrees with the composers of human lead sheets (.mxl, .musicxml, .abc).

    Only sheets that name one key with its mode count; chord symbols sound until the next one, as a band would play them.
    """
    import music21

    exact = Figure("human lead sheets: Krumhansl finds the key", 0)
    related = Figure("human lead sheets: it, its relative or one a fifth away", 0)
    for path in sorted(entry for entry in folder.rglob("*") if entry.suffix in (".mxl", ".musicxml", ".abc")):
        try:
            score = music21.converter.parse(path)
            named = {(sign.tonic.pitchClass, sign.mode) for sign in score.recurse().getElementsByClass("Key")}
            if len(named) != 1 or not {mode for _, mode in named} <= {"major", "minor"}:
                continue
            music21.harmony.realizeChordSymbolDurations(score)
            notes = list(score.recurse().notes)
        except Exception as error:  # whatever music21 stumbles over: files that are not for this comparison
            print(f"{path.name}: {error!r}", file=sys.stderr)
            continue
        [(tonic_pc, mode)] = named
        key, weights = Key.from_pc(tonic_pc, mode), np.zeros(12)
        for note in notes:
            for pitch in note.pitches:
                weights[pitch.pitchClass] += float(note.duration.quarterLength)
        found = int(key_correlations(weights).argmax())
        exact.add(found == key_index(key))
        related.add(is_related(found, key))
    for figure in (exact, related):
        print(f"       {figure.name}: {figure.hits} of {figure.total}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=100)
    parser.add_argument("--tunes", type=int, default=0)
    parser.add_argument("--render", type=int, default=0)
    parser.add_argument("--human", type=Path)
    parser.add_argument("--model", type=Path, help="another GGUF file")
    parser.add_argument("--random", action="store_true", help="random weights behind a SentencePiece vocabulary of 32,000")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = random_model(Path(folder)) if options.random else options.model or built_in_composer()
        return measure(path, options)


def random_model(folder: Path) -> Path:
    """Write the GGUF that knows nothing, asked as ChatMusician is."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tests.fakes.gguf_writer import sentencepiece_vocabulary, write_model

    return write_model(folder / "ChatMusician.random.gguf", sentencepiece_vocabulary(32_000))


def measure(path: Path, options: argparse.Namespace) -> int:
    """Print every figure that was asked for; 1 when one is missed."""
    model, form = load_model(path, context_tokens=4096), format_name(read_gguf_header(path), path.name)
    started = time.monotonic()
    figures = (
        measure_tunes(model, form, options.tunes) if options.tunes else measure_songs(model, form, options.songs, options.render)
    )
    for figure in figures:
        print(figure)
    print(f"{time.monotonic() - started:.0f} s with {path.name}")
    if options.human:
        measure_human(options.human)
    model.close()
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
