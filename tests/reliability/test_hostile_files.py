"""R9 and R10: settings, databases, plans, recipes and model files that are cut off, damaged or made to hurt."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest

from llm_music_gen import database
from llm_music_gen.cli.commands import generate
from llm_music_gen.cli.plan_file import read_plan
from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.errors import ModelError, StudioError
from llm_music_gen.jobs.live import read_live
from llm_music_gen.jobs.store import JobStore
from llm_music_gen.library.catalogue import Library
from llm_music_gen.library.shelf import songs_on_disk
from llm_music_gen.llm.gguf import read_gguf_header
from llm_music_gen.playback.memory import read_memory
from llm_music_gen.settings import Settings, load_settings_or_defaults, save_settings
from llm_music_gen.studio.long.unfinished import Order, Unfinished, facts
from llm_music_gen.studio.plan_notes import open_notes
from llm_music_gen.studio.processing_room import plan_from_file
from llm_music_gen.studio.promises import promises_beside
from llm_music_gen.studio.recipe import read_recipe
from tests.fakes.broken_gguf import write_broken
from tests.fakes.gguf_writer import character_vocabulary, write_model
from tests.fuzzing.targets import check_sentence
from tests.reliability.damage import cuts, damaged, odd_json
from tests.reliability.figures import Figure
from tests.reliability.scale import scaled
from tests.unit.studio.test_recipe import DATA

Reader = Callable[[Path], object]


class Trial:
    """A file of one kind, and what reads it: a result, or an error of ours in one sentence."""

    def __init__(self, name: str, text: bytes, read: Reader, value: object = None) -> None:
        self.name, self.text, self.read, self.value = name, text, read, value

    def survives(self, folder: Path, data: bytes) -> bool:
        """Whether the reader bears it. Returns True for a result, False for a sentence."""
        path = folder / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        try:
            self.read(path)
        except StudioError as error:
            check_sentence(error)
            return False
        except Exception as error:
            error.args = (f"{self.name} with {data[:3_000]!r}: {error}", *error.args[1:])
            raise
        return True


def notes_in(path: Path) -> object:
    with open_notes(path) as notes:
        return notes.seed


def rows_in(path: Path) -> object:
    parser = argparse.ArgumentParser()
    generate.add_options(parser)
    return read_plan(path, parser, parser.parse_args(["--from", str(path)]), generate.request_of)


def trials() -> Iterator[Trial]:
    """Everything that the studio writes as text and reads again, and the plans that people write."""
    track = {"path": "a.flac", "title": "A", "length_s": 3.0, "song_id": "0"}
    memory = {
        "schema": 1, "played": [track], "current": None, "remaining": [track], "position_s": 1.0, "shuffle": False,
        "repeat": "off", "crossfade_s": 0.0, "device": "", "spectrum": True, "favourites": ["a"],
    }  # fmt: skip
    proof = {"file": "a.flac", "promises": {}, "checks": [{"name": "length", "verdict": "fail"}]}
    notes = {"schema": 1, "seed": 3, "songs": {"a": {"1": {"title": "A", "id": "0"}}}}
    plan = {"calls": [{"tool": "gain", "args": {"db": 3.0}}, {"tool": "fade", "args": {"in_s": 1.0}}], "reply": "so"}
    live = {"uid": "a", "fraction": 0.5, "stage": "sound", "message": "m", "detail": {}}
    readers: tuple[tuple[str, object, Reader], ...] = (
        ("song/recipe.json", DATA, read_recipe),
        ("song/recipe.json", DATA, lambda path: list(songs_on_disk(path.parent.parent))),
        ("song/proof.json", proof, lambda path: promises_beside(path.with_name("a.flac"))),
        ("work/order.json", asdict(Order("a.sf2", "out")), lambda path: Unfinished(path.parent).order()),
        ("work/recipe.json", DATA, lambda path: facts(Unfinished(path.parent))),
        ("plans/notes.json", notes, notes_in),
        ("plan.json", plan, lambda path: plan_from_file(path, [])),
        ("jukebox.json", memory, read_memory),
        ("live.json", live, read_live),
    )
    for name, value, read in readers:
        yield Trial(name, json.dumps(value).encode(), read, value)
    yield Trial("plan.csv", b'styles,title,length,seed\nchill,Rain,3,7\n"lo-fi, jazz","A ""B""",4-6,\n', rows_in)


def test_texts_cut_off_at_every_byte_or_damaged_give_a_result_or_a_sentence(tmp_path: Path) -> None:
    chance, cut, changed, refused = random.Random(9), 0, 0, 0
    kinds = list(trials())
    for number, trial in enumerate(kinds):
        folder = tmp_path / str(number)
        assert trial.survives(folder, trial.text), trial.name
        slow = trial.read is notes_in  # it writes to the disk each time
        for data in cuts(trial.text, scaled(4_096, 12 if slow else 60)):
            refused += not trial.survives(folder, data)
            cut += 1
        for turn in range(scaled(10_000, 40 if slow else 500) // len(kinds) + 1):
            data = damaged(trial.text, chance) if trial.value is None or turn % 2 else odd_json(trial.value, chance)
            refused += not trial.survives(folder, data)
            changed += 1
    assert refused > (cut + changed) // 10, "hardly anything was refused: the damage does nothing"
    measured = f"0 tracebacks in {cut} cuts and {changed} changes of {len(kinds)} kinds of file"
    Figure("R9", "recipes, plans and notes cut off or damaged", "0 tracebacks", measured, holds=True).record()


def test_a_damaged_settings_file_gives_the_defaults_and_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    save_settings(Settings(), path)
    whole, chance, kept, tried = path.read_bytes(), random.Random(1), 0, 0
    changes = [damaged(whole, chance) for _ in range(scaled(10_000, 120))]
    for data in [*cuts(whole, scaled(4_096, 150)), *changes]:
        tried += 1
        path.write_bytes(data)
        settings, complaint = load_settings_or_defaults(path)
        if not complaint:
            continue
        assert settings == Settings() and "\n" not in complaint
        save_settings(settings, path)
        assert path.with_name("settings.toml.broken").read_bytes() == data
        assert load_settings_or_defaults(path) == (Settings(), "")
        kept += 1
    assert kept > tried // 5
    measured = f"0 tracebacks in {tried} files, {kept} of {kept} broken ones kept beside"
    Figure("R9", "settings cut off or damaged", "0 tracebacks, defaults, backup kept", measured, holds=True).record()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database with a library and a queue in it."""
    home = tmp_path_factory.mktemp("filled")
    for number in range(12):
        folder = home / "songs" / f"Song {number}"
        folder.mkdir(parents=True)
        changed = {**DATA, "seed": number, "theme": {**DATA["theme"], "title": f"Song {number}"}}
        (folder / "recipe.json").write_text(json.dumps(changed), encoding="utf-8")
    file = home / "studio.sqlite"
    Library(file, home / "songs", home / "trash").rescan()
    with closing(JobStore(file)) as store:
        for number in range(12):
            store.insert(Job(f"{number}", "generate", f"Job {number}", {"songs": number}, JobState.QUEUED, float(number), "2026"))
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    return file.read_bytes()


def test_a_damaged_database_is_read_or_set_aside_and_built_anew(
    tmp_path: Path, filled: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, aside, refused = random.Random(5), 0, 0
    whole = [filled[:length] for length in range(0, len(filled), max(1, len(filled) // scaled(400, 8)))]
    for _ in range(scaled(2_000, 14)):
        data = bytearray(filled)
        for _ in range(chance.choice((1, 3, 30, 300))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        whole.append(bytes(data))
    for number, damage in enumerate(whole):
        home = tmp_path / str(number)
        home.mkdir()
        file = home / "studio.sqlite"
        file.write_bytes(damage)
        database._checked.clear()
        try:
            library = Library(file, home / "songs", home / "trash")
            assert len(library.songs()) <= 1_000
            assert all(song is None or song.title is not None for song in library.search("song"))
            with closing(JobStore(file)) as store:
                assert all(isinstance(job, Job) for job in store.jobs())
                store.insert(Job("new", "generate", "New", {}, JobState.QUEUED, 99.0, "2026"))
            library.rescan()
        except StudioError as error:
            check_sentence(error)
            refused += 1
        except Exception as error:
            file.with_suffix(".damaged").write_bytes(damage)
            error.args = (f"{file.with_suffix('.damaged')}: {error}", *error.args[1:])
            raise
        kept = [other for other in home.iterdir() if ".sqlite.corrupt-" in other.name]
        # The head tells SQLite's journal mode and may have been changed before the damage was found.
        assert all(
            other.read_bytes()[100 : len(damage)] == damage[100:] for other in kept if other.name.startswith("studio.sqlite.c")
        )
        aside += bool(kept)
        shutil.rmtree(home)
    assert aside > len(whole) // 4
    measured = f"0 tracebacks in {len(whole)} files; {aside} set aside and built anew, {refused} told in a sentence"
    Figure("R9", "databases cut off or damaged", "0 tracebacks, the old file kept", measured, holds=True).record()


def test_broken_model_files_cost_little_and_are_told(tmp_path: Path) -> None:
    whole = write_model(tmp_path / "whole.gguf", character_vocabulary()).read_bytes()
    broken = [path for path in write_broken(tmp_path, whole) if path.stem != "no_model_in_it"]
    ends = sorted({*range(0, 100, 3), *(4 + (len(whole) - 5) * place // 99 for place in range(100))})
    for end in ends:
        path = tmp_path / f"end-{end}.gguf"
        path.write_bytes(whole[:end])
        broken.append(path)
    slowest_s, most_bytes, told = 0.0, 0, 0
    for path in broken:
        began_s = time.perf_counter()
        try:
            read_gguf_header(path)
        except ModelError as error:
            check_sentence(error)
            told += 1
        slowest_s = max(slowest_s, time.perf_counter() - began_s)
    for path in broken[:: scaled(1, 8)]:  # measured apart: watching memory takes time
        tracemalloc.start()
        with pytest.raises(ModelError):
            read_gguf_header(path)
        most_bytes = max(most_bytes, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    measured = f"{told} of {len(broken)} told, at most {slowest_s:.2f} s and {most_bytes / 2**20:.0f} MB"
    good = told == len(broken) and slowest_s <= 1.0 and most_bytes <= 50 * 2**20
    Figure("R10", "model files that are broken", "typed error in 1 s and 50 MB", measured, good).record()
