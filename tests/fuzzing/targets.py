"""One function for each reader of other people's input: bytes go in, a result or one sentence comes out. All else is a finding.

The readers are imported inside the functions, so that atheris can watch their branches.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from llm_music_gen.errors import NotationError, SettingsError, StudioError

CORPUS = Path(__file__).parent / "corpus"
#: Most that the corpus of one target may add to the repository.
MOST_FILES, MOST_BYTES = 100, 200_000
#: Longest sentence that an error may be: input is quoted in part only.
LONGEST_SENTENCE = 1_000


@dataclass(frozen=True, slots=True)
class Target:
    """A reader under test."""

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]
    """Ordinary input to begin with."""
    modules: tuple[str, ...]
    """What atheris watches."""
    words: tuple[str, ...] = ()
    """Words of the language, for libFuzzer's dictionary."""
    longest_bytes: int = 2_048


def check_sentence(error: StudioError) -> None:
    """What the user sees of an error is one line of a bearable length."""
    sentence = str(error)
    assert sentence.strip() and "\n" not in sentence and len(sentence) <= LONGEST_SENTENCE, repr(sentence[:2_000])


def abc(data: bytes) -> None:
    """Any ABC: a lead sheet of bounded size, or a sentence; what is written from it can be read again and sounds the same."""
    from llm_music_gen.notation.abc_file import write_abc
    from llm_music_gen.notation.bars import check_bars
    from llm_music_gen.notation.reader import read_abc
    from llm_music_gen.notation.repeats import MAX_PLAYED_BARS

    text = data.decode("utf-8", errors="replace")
    try:
        check_bars(text)
    except NotationError as error:
        check_sentence(error)
    try:
        sheet = read_abc(text)
    except NotationError as error:
        check_sentence(error)
        return
    assert 20 <= sheet.tempo_bpm <= 400
    assert sum(section.bars for section in sheet.sections) <= MAX_PLAYED_BARS
    for section in sheet.sections:
        length_ql = section.bars * sheet.meter.bar_ql
        assert all(note.onset_ql >= 0 and note.duration_ql > 0 for note in section.notes)
        assert all(note.onset_ql + note.duration_ql <= length_ql for note in section.notes)
        assert all(0 <= note.pitch <= 127 for note in section.notes)
    try:
        written = write_abc(sheet)
    except NotationError as error:  # quintuplets and rhythms too fine for paper
        check_sentence(error)
        return
    assert read_abc(written).meter == sheet.meter


def gguf(data: bytes) -> None:
    """A model file's header: what the model is, or a sentence."""
    from llm_music_gen.errors import ModelError
    from llm_music_gen.llm.gguf import read_gguf_header

    path = _scratch() / "model.gguf"
    path.write_bytes(data)
    try:
        header = read_gguf_header(path, arrays=["tokenizer.ggml.tokens"])
    except ModelError as error:
        check_sentence(error)
        return
    assert header.layers is not None and header.parameters >= 0 and header.vocabulary_size >= 0
    assert isinstance(header.quantization, str) and isinstance(header.chat_template, str) and isinstance(header.architecture, str)


def style(data: bytes) -> None:
    """A style sheet: a style, or a sentence with the line."""
    from llm_music_gen.errors import StyleError
    from llm_music_gen.styles.loader import parse_sheet

    try:
        found = parse_sheet(data.decode("utf-8", errors="replace"), "mine.toml")
    except StyleError as error:
        check_sentence(error)
        return
    assert found.name and found.tempo_min_bpm <= found.tempo_default_bpm <= found.tempo_max_bpm


def settings(data: bytes) -> None:
    """A settings file: settings that can be saved and loaded again, or the defaults and a sentence; the broken file is kept."""
    from llm_music_gen.settings import Settings, load_settings, load_settings_or_defaults, save_settings

    path = _scratch() / "settings.toml"
    broken = path.with_name("settings.toml.broken")
    broken.unlink(missing_ok=True)
    path.write_bytes(data)
    try:
        found = load_settings(path)
    except SettingsError as error:
        check_sentence(error)
        assert load_settings_or_defaults(path) == (Settings(), str(error))
        save_settings(Settings(), path)
        assert broken.read_bytes() == data
        return
    save_settings(found, path)
    assert load_settings(path) == found


def request(data: bytes) -> None:
    """A request in plain English: a plan of known tools on files that the request names, whatever is typed."""
    from llm_music_gen.processing.registry import REGISTRY
    from llm_music_gen.requests import Situation, plan_request
    from tests.unit.requests.test_planner import TOOLS

    text = data.decode("utf-8", errors="replace")
    plan = plan_request(text, Situation(file="take.wav", last_song="Rain", files_in_folder=("take.wav", "voice.wav")), REGISTRY)
    assert plan.calls and plan.reply
    for call in plan.calls:
        assert call.tool in TOOLS, call


def sbg(data: bytes) -> None:
    """A schedule of tones: steps in order of time, or a sentence with the line."""
    from llm_music_gen.sound.bed.sbg import read_sbg

    try:
        steps = read_sbg(data.decode("utf-8", errors="replace"))
    except NotationError as error:
        check_sentence(error)
        return
    assert steps[0].at_s == 0.0
    assert all(one.at_s < other.at_s for one, other in itertools.pairwise(steps))
    for step in steps:
        for tone in step.tones:
            assert 0.0 <= tone.amplitude <= 1.0 and tone.carrier_hz < float("inf") and abs(tone.beat_hz) < float("inf")


@lru_cache(maxsize=1)
def _scratch() -> Path:
    """A folder for the one file that a target reads; in memory where the system has such a place."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="fuzzing-", dir=memory if memory.is_dir() else None))


def _tunes() -> Iterator[bytes]:
    from tests.unit.notation.test_bars import HEAD, HOSTILE

    yield b'X:1\nT:Rain\nM:6/8\nQ:3/8=90\nK:Dm\n|:"Dm"A2Bc3|(3abc d>e [FA]2|1 z6:|2 G6|]\nP:B\n"Gm7/D"^f/2_B,\'3/4 z2 Z2|\n'
    yield b"X:1\nM:C|\nL:1/16\nK:F#mix\nV:1\nA4-A4 {g}.B4 !f!c4 & c16|\nV:2\n[K:Bb]x8 y8|[M:3/4]~A4(5abcde A>>B\n"
    yield from ((HEAD + music).encode()[:300] for music in HOSTILE)


def _headers() -> Iterator[bytes]:
    from tests.fakes.broken_gguf import HOSTILE
    from tests.fakes.gguf_writer import character_vocabulary, write_model

    yield from HOSTILE.values()
    with tempfile.TemporaryDirectory() as folder:
        yield write_model(Path(folder) / "seed.gguf", character_vocabulary()).read_bytes()[:16_000]


def _sheets() -> Iterator[bytes]:
    sheets = resources.files("llm_music_gen.styles") / "sheets"
    for name in ("ambient", "waltz", "dubstep", "jazz"):
        yield (sheets / f"{name}.toml").read_bytes()


def _settings_files() -> Iterator[bytes]:
    from llm_music_gen.settings import Settings, save_settings

    path = _scratch() / "seed.toml"
    save_settings(Settings(), path)
    yield path.read_bytes()
    yield b'temperature = 0.9\nformats = ["wav", "mp3"]\noutput_dir = "C:\\\\Music"\nnight = true\n'
    yield b"schema = 1\nvolume_percent = 200\n"


def _requests() -> Iterator[bytes]:
    from tests.unit.requests.test_everyday_requests import REQUESTS
    from tests.unit.requests.test_planner import LINES

    yield from (said.encode() for said, _ in REQUESTS)
    yield from (str(line["say"]).encode() for line in LINES)


def _schedules() -> Iterator[bytes]:
    from tests.unit.sound.bed.test_sbg import SESSION

    yield SESSION.encode()
    yield b"a: 100+3/10 white/20 brown/5\n23:30 a\n00:15:20 a ->\n06:00 off\nNOW+01:00 a\n"


_TOML = ("[", "]", "[[", "]]", "=", '"""', "'''", "true", "false", "inf", "nan", "0x", "1e9", "1979-05-27", "{", "}", "\\u0000")

TARGETS = {
    "abc": Target(
        abc, _tunes, ("llm_music_gen.notation", "llm_music_gen.domain"),
        ("X:", "T:", "M:", "L:", "Q:", "K:", "V:", "P:", "I:", "w:", "%%", "|:", ":|", "::", "[1", "|2", "|]", "||", "(3",
         "(5:4:6", "C|", "1/8", "3/4", "[K:", "[M:", '"Am7/G"', "Z4", "{g}", "!f!", ">>", "&", "dor", "maj", "none"), 400,
    ),
    "gguf": Target(
        gguf, _headers, ("llm_music_gen.llm.gguf",),
        ("GGUF", "general.architecture", "general.alignment", "split.count", "tokenizer.ggml.tokens", "llama.block_count",
         "\x09\x00\x00\x00", "\x08\x00\x00\x00", "\x03\x00\x00\x00"), 4_096,
    ),
    "style": Target(style, _sheets, ("llm_music_gen.styles", "tomllib"), _TOML, 12_288),
    "settings": Target(settings, _settings_files, ("llm_music_gen.settings", "tomllib"), (*_TOML, "schema", "formats"), 4_096),
    "request": Target(
        request, _requests, ("llm_music_gen.requests", "llm_music_gen.tools"), ("then", "hz", "bpm", "db", '"', "make"), 512
    ),
    "sbg": Target(
        sbg, _schedules, ("llm_music_gen.sound.bed.sbg",),
        ("NOW", "NOW+", "->", "off", "pink/", "white/", "brown/", "00:10:00", "24:00", "+", "@", ":", "#"), 1_024,
    ),
}  # fmt: skip
"""Name -> reader."""
