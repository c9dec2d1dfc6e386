"""Blocks of parts that were rendered before: the same bytes, and only what changed is rendered again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import Arrangement, Part, PlayedNote
from llm_music_gen.sound.mix import mix_blocks
from llm_music_gen.sound.notes import NoteCache
from llm_music_gen.sound.part_cache import PartBlocks
from tests.fakes.sine_synth import SineSynth


def band(velocity: int = 80) -> Arrangement:
    tune = tuple(PlayedNote(beat * 1.0, 0.9, 60 + beat % 5, velocity) for beat in range(40))
    bass = tuple(PlayedNote(beat * 2.0, 1.9, 40, 90) for beat in range(20))
    hats = tuple(PlayedNote(beat * 0.5, 0.2, 46 if beat % 4 == 0 else 42, 70) for beat in range(80))
    parts = (
        Part("Flute", "melody", 73, tune, pan=0.2),
        Part("Bass", "bass", 33, bass, gain_db=-2.0),
        Part("Drums", "drums", 0, hats, is_drums=True),
    )
    mix = {"sidechain_db": 3.0, "bass_lowpass_hz": 2000.0, "delay_gain_db": -15.0}
    return Arrangement("x", Key("C"), Meter(4, 4), 120.0, parts, 44_100 * 21, mix=mix)


def rendered(arrangement: Arrangement, blocks: PartBlocks | None) -> bytes:
    cache = NoteCache(SineSynth(), 440.0, arrangement.quarter_bpm)
    strip = blocks.strip if blocks is not None else None
    return b"".join(block.tobytes() for _, block in mix_blocks(arrangement, cache, threaded=False, strip=strip))


def test_what_is_read_sounds_the_same_to_the_last_bit(tmp_path: Path) -> None:
    plain = rendered(band(), None)
    first, second = PartBlocks(tmp_path, "font"), PartBlocks(tmp_path, "font")
    assert rendered(band(), first) == plain
    assert rendered(band(), second) == plain
    assert second.rendered == {} and set(second.reused) == {"Flute", "Bass", "Drums"}


def test_another_instrument_renders_only_its_part(tmp_path: Path) -> None:
    rendered(band(), PartBlocks(tmp_path, "font"))
    changed = replace(band(), parts=(replace(band().parts[0], program=40), *band().parts[1:]))
    blocks = PartBlocks(tmp_path, "font")
    assert rendered(changed, blocks) == rendered(changed, None)
    assert blocks.changed_parts == ("Flute",)


def test_other_notes_in_a_section_render_only_the_blocks_that_hear_them(tmp_path: Path) -> None:
    rendered(band(), PartBlocks(tmp_path, "font"))
    tune = band().parts[0]
    notes = (*tune.notes[:30], *(replace(note, velocity=40) for note in tune.notes[30:]))
    changed = replace(band(), parts=(replace(tune, notes=notes), *band().parts[1:]))
    blocks = PartBlocks(tmp_path, "font")
    assert rendered(changed, blocks) == rendered(changed, None)
    assert blocks.changed_parts == ("Flute",)
    assert blocks.reused["Flute"] >= 9  # 15 seconds of 21 are as they were


def test_level_and_place_need_no_rendering_at_all(tmp_path: Path) -> None:
    rendered(band(), PartBlocks(tmp_path, "font"))
    changed = replace(band(), parts=(replace(band().parts[0], gain_db=-9.0, pan=-0.7), *band().parts[1:]))
    blocks = PartBlocks(tmp_path, "font")
    assert rendered(changed, blocks) == rendered(changed, None)
    assert blocks.changed_parts == ()


@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "flipped", "zeros"])
def test_damaged_blocks_are_rendered_again(tmp_path: Path, damage: str) -> None:
    plain = rendered(band(), PartBlocks(tmp_path, "font"))
    for path in tmp_path.rglob("*.block"):
        if damage == "gone":
            path.unlink()
        else:
            data = path.read_bytes()
            middle = len(data) // 2
            flipped = data[:middle] + bytes([data[middle] ^ 0x40]) + data[middle + 1 :]
            path.write_bytes({"cut": data[:100], "empty": b"", "flipped": flipped, "zeros": bytes(len(data))}[damage])
    assert rendered(band(), PartBlocks(tmp_path, "font")) == plain


def test_another_soundfont_shares_nothing(tmp_path: Path) -> None:
    rendered(band(), PartBlocks(tmp_path, "font"))
    blocks = PartBlocks(tmp_path, "other")
    rendered(band(), blocks)
    assert blocks.reused == {}


def test_the_folder_stays_within_its_bounds_and_the_last_used_stay(tmp_path: Path) -> None:
    blocks = PartBlocks(tmp_path, "font", most_bytes=1_000_000)
    for number in range(4):
        blocks.put(f"{number:02d}abc", np.zeros((65_536, 2), dtype=np.float32))
    blocks.prune()
    left = sorted(path.parent.name for path in tmp_path.rglob("*.block"))
    assert left == ["03"]
