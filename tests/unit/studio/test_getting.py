"""Models, soundfonts and voices from a hub on this computer that misbehaves as the real one may."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from llm_music_gen.domain.job import JobContext
from llm_music_gen.domain.progress import Progress, finish
from llm_music_gen.errors import DownloadError, StudioError, UsageError
from llm_music_gen.fetching.choosing import check_name, quantization_in, read_wish
from llm_music_gen.fetching.hub import is_repo
from llm_music_gen.fetching.known import KINDS, Known, find_known, known
from llm_music_gen.fetching.transfer import Manners
from llm_music_gen.llm.registry import find_models
from llm_music_gen.paths import StudioPaths, studio_paths
from llm_music_gen.studio import getting
from llm_music_gen.studio.getting import GetRequest, entries, get, links
from llm_music_gen.studio.handlers import HANDLERS
from tests.fakes.gguf_writer import Shape, character_vocabulary, write_model
from tests.fakes.hub_server import Hub, running_hub

HASTE = Manners(pauses_s=(0.01, 0.01, 0.01), silence_s=1.0)
CHAT = "MaziyarPanahi/ChatMusician-GGUF"
OWN = "someone/tunes-GGUF"
PIPER = "rhasspy/piper-voices/en/en_US/lessac/medium/en_US-lessac-medium.onnx"
NOISE = np.random.default_rng(2).bytes(300_000)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    return write_model(path, character_vocabulary("AB"), Shape(layers=1, width=32, hidden=32)).read_bytes()


@pytest.fixture
def hub(tiny: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    files = {
        f"{CHAT}/ChatMusician.Q6_K.gguf": tiny,
        f"{CHAT}/ChatMusician.Q2_K.gguf": tiny[::-1],
        f"{CHAT}/README.md": b"# hello",
        f"{OWN}/sub/tunes.Q8_0.gguf": tiny,
        PIPER: NOISE,
        f"{PIPER}.json": b'{"audio": {"sample_rate": 22050}}',
        "Systran/faster-whisper-tiny.en/model.bin": NOISE,
        "Systran/faster-whisper-tiny.en/config.json": b"{}",
        "Systran/faster-whisper-tiny.en/tokenizer.json": b"[]",
        "Systran/faster-whisper-tiny.en/vocabulary.txt": b"a",
        "ggerganov/whisper.cpp/ggml-base.bin": NOISE,
    }
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with running_hub(files) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        yield server


@pytest.fixture
def paths() -> StudioPaths:
    return studio_paths()


def fetched(paths: StudioPaths, name: str, quant: str = "", kind: str = "model") -> list[Path]:
    return list(finish(get(GetRequest.from_dict({"kind": kind, "name": name, "quant": quant}), paths, HASTE)))


def refusal(paths: StudioPaths, name: str, quant: str = "", kind: str = "model") -> str:
    """The sentence with which it fails; nothing is left behind under a final name."""
    with pytest.raises(StudioError) as caught:
        fetched(paths, name, quant, kind)
    assert "\n" not in str(caught.value)
    assert not list(paths.models_dir.rglob("*.gguf")) and not list(paths.models_dir.rglob("*.onnx"))
    return str(caught.value)


def test_a_model_known_by_name_is_fetched_checked_and_found(hub: Hub, paths: StudioPaths, tiny: bytes, tmp_path: Path) -> None:
    (place,) = fetched(paths, "ChatMusician", "q6_k")
    assert place == paths.models_dir / "ChatMusician.Q6_K.gguf"
    assert place.read_bytes() == tiny
    models = find_models(paths.models_dir, environment={}, home=tmp_path)
    [model] = [model for model in models if model.source == "models"]
    assert (model.name, model.role, model.problem) == ("ChatMusician.Q6_K.gguf", "abc", "")
    assert sorted(path.name for path in paths.models_dir.iterdir()) == ["ChatMusician.Q6_K.gguf"]


def test_the_usual_quantization_is_taken_and_not_fetched_twice(hub: Hub, paths: StudioPaths) -> None:
    fetched(paths, "chatmusician")
    fetched(paths, "chatmusician")
    assert hub.asked["transfer"] == 1


@pytest.mark.parametrize(
    "name", [f"{OWN}", f"{OWN}/sub/tunes.Q8_0.gguf", "https://huggingface.co/someone/tunes-GGUF/blob/main/sub/tunes.Q8_0.gguf"]
)
def test_any_repository_file_or_link_will_do(hub: Hub, paths: StudioPaths, name: str, tiny: bytes) -> None:
    (place,) = fetched(paths, name)
    assert place == paths.models_dir / "tunes.Q8_0.gguf" and place.read_bytes() == tiny


def test_connections_that_drop_in_the_middle_cost_nothing_twice(hub: Hub, paths: StudioPaths, tiny: bytes) -> None:
    hub.break_after = [len(tiny) // 3, 10, 0, 1000]
    hub.transfer_errors = [502]
    reports: list[Progress] = []
    work = get(GetRequest("model", "chatmusician"), paths, HASTE)
    try:
        while True:
            reports.append(next(work))
    except StopIteration as stop:
        (place,) = stop.value
    assert place.read_bytes() == tiny
    assert hub.sent_bytes == len(tiny)
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0


def test_the_hub_is_asked_again_when_it_stumbles(hub: Hub, paths: StudioPaths) -> None:
    hub.errors = [500, 503]
    assert fetched(paths, "chatmusician")
    hub.errors = [500] * 9
    with pytest.raises(DownloadError, match="it answered with error 500"):
        fetched(paths, "chatmusician", "Q2_K")


def test_a_wrong_checksum_is_deleted(hub: Hub, paths: StudioPaths, tiny: bytes) -> None:
    hub.lie_about[f"{CHAT}/ChatMusician.Q6_K.gguf"] = tiny[:-1] + bytes([tiny[-1] ^ 1])
    said = refusal(paths, "chatmusician")
    assert "arrived damaged" in said and "was deleted" in said and "By hand: http" in said
    assert list(paths.models_dir.iterdir()) == []


def test_small_files_are_checked_by_gits_checksum(hub: Hub, paths: StudioPaths) -> None:
    hub.lie_about[f"{PIPER}.json"] = b'{"audio": {"sample_rate": 22051}}'
    with pytest.raises(DownloadError, match=r"onnx\.json arrived damaged"):
        fetched(paths, "en_US-lessac-medium", kind="voice")


@pytest.mark.parametrize(
    ("name", "quant", "words"),
    [
        ("nobody/nothing", "", "knows no nobody/nothing"),
        ("chatmusician", "Q9_X", "has no Q9_X. It has Q2_K ("),
        (f"{CHAT}/none.gguf", "", "has no file none.gguf"),
        (CHAT, "", "has several. It has Q2_K ("),
        ("rhasspy/piper-voices", "", "holds no GGUF files"),
        ("ggml", "", "There is no model 'ggml' to get. Known: chatmusician, ilm3"),
        ("../../etc/passwd", "", "There is no model"),
        ("http://example.org/a/b", "", "There is no model"),
    ],
)
def test_what_cannot_be_had_is_said_in_a_sentence(hub: Hub, paths: StudioPaths, name: str, quant: str, words: str) -> None:
    assert words in refusal(paths, name, quant)


def test_terms_to_agree_to_are_named_and_a_token_opens_them(
    hub: Hub, paths: StudioPaths, tiny: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.gated = {OWN}
    said = refusal(paths, OWN)
    assert "agreed to its terms" in said and "HF_TOKEN" in said
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert fetched(paths, OWN)[0].read_bytes() == tiny
    assert hub.tokens_elsewhere == [], "the token stays with the hub"


def test_a_web_page_instead_of_a_model_is_recognised(hub: Hub, paths: StudioPaths) -> None:
    hub.web_page = True
    assert "web page instead of ChatMusician.Q6_K.gguf" in refusal(paths, "chatmusician")


def test_without_a_network_the_link_and_the_folder_are_named(paths: StudioPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    said = refusal(paths, "chatmusician", "Q2_K")
    assert said.endswith(f"/{CHAT}/resolve/main/ChatMusician.Q2_K.gguf into {paths.models_dir}.")
    monkeypatch.setenv("HF_ENDPOINT", "http://example.org")
    assert "not an https address" in refusal(paths, "chatmusician")


def test_nothing_is_told_and_nothing_else_is_asked(hub: Hub, paths: StudioPaths) -> None:
    fetched(paths, "chatmusician")
    allowed = ("api/models/", CHAT, f"storage/{CHAT}")
    assert [path for path in hub.paths if not path.startswith(allowed)] == []
    assert not any("xet" in path for path in hub.paths)
    assert all(agent.startswith("llm-music-gen/") for agent in hub.agents)


def test_a_split_model_comes_with_all_its_parts(hub: Hub, paths: StudioPaths, tiny: bytes) -> None:
    for part in (1, 2, 3):
        hub.files[f"{OWN}/big.Q4_K_M-0000{part}-of-00003.gguf"] = tiny
    places = fetched(paths, OWN, "q4_k_m")
    assert [place.name for place in places] == [f"big.Q4_K_M-0000{part}-of-00003.gguf" for part in (1, 2, 3)]
    del hub.files[f"{OWN}/big.Q4_K_M-00002-of-00003.gguf"]
    with pytest.raises(DownloadError, match=r"lacks its part big\.Q4_K_M-00002-of-00003\.gguf"):
        fetched(paths, OWN, "Q4_K_M")


@pytest.mark.parametrize(
    "path", ["../up.gguf", "a/..gguf", "nul.gguf", "a\\..\\b.gguf", "-rf.gguf", "C:x.gguf", "a\n.gguf", "é" * 300]
)
def test_names_that_a_hub_may_not_give_are_refused(path: str) -> None:
    with pytest.raises(DownloadError):
        check_name(path)


def test_ordinary_names_are_taken() -> None:
    for path in ("sub/ChatMusician.Q6_K.gguf", "en/en_US/lessac/en_US-lessac-medium.onnx.json", "Größe (2).gguf"):
        check_name(path)


def test_a_hub_that_is_hostile_writes_nowhere_else(hub: Hub, paths: StudioPaths) -> None:
    for name, words in {
        "../../../evil.gguf": "cannot be called so here",
        "..\\..\\evil.gguf": "cannot be called so here",
        "nul.gguf": "cannot be called so here",
        "x" * 300 + ".gguf": "cannot be called so here",
    }.items():
        hub.listings[OWN] = [{"rfilename": name, "size": 5}]
        assert words in refusal(paths, OWN)
    for listing in ([], [{"rfilename": "README.md"}], [{"rfilename": ".gguf", "size": -1}]):
        hub.listings[OWN] = listing
        refusal(paths, OWN)
    assert not list(paths.models_dir.parent.parent.rglob("*evil*"))


def test_voices_and_ears_arrive_in_their_folder(hub: Hub, paths: StudioPaths) -> None:
    voices = paths.models_dir / "voices"
    assert fetched(paths, "en_us-lessac-medium", kind="voice") == [
        voices / "en_US-lessac-medium.onnx",
        voices / "en_US-lessac-medium.onnx.json",
    ]
    assert json.loads((voices / "en_US-lessac-medium.onnx.json").read_text(encoding="utf-8"))["audio"]["sample_rate"] == 22050
    assert fetched(paths, "whisper-base", kind="voice") == [voices / "ggml-base.bin"]
    whisper = fetched(paths, "faster-whisper-tiny.en", kind="voice")
    assert {place.name for place in whisper} == {"config.json", "tokenizer.json", "vocabulary.txt", "model.bin"}
    assert {place.parent for place in whisper} == {voices / "faster-whisper-tiny.en"}
    assert {entry["name"]: entry["here"] for entry in entries("voice", paths)} == {
        "en_US-lessac-medium": True,
        "whisper-tiny.en": False,
        "faster-whisper-tiny.en": True,
    }


def test_a_soundfont_lands_where_the_studio_looks(hub: Hub, paths: StudioPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.files["plain/GeneralUser-GS.sf2"] = NOISE
    entry = find_known("soundfont", "GeneralUser")
    assert entry is not None
    here = Known(
        "soundfont", "generaluser", "", "", files=entry.files, address=f"{hub.address}/plain/GeneralUser-GS.sf2",
        size_bytes=len(NOISE), sha256=hashlib.sha256(NOISE).hexdigest(),
    )  # fmt: skip
    monkeypatch.setattr("llm_music_gen.fetching.choosing.find_known", lambda kind, name: here)
    hub.break_after = [1000, 200_000]
    (place,) = fetched(paths, "generaluser", kind="soundfont")
    assert place == paths.soundfonts_dir / "GeneralUser-GS.sf2" and place.read_bytes() == NOISE
    assert hub.asked["api"] == 0
    monkeypatch.setenv("HF_TOKEN", "not for strangers")
    place.unlink()
    fetched(paths, "generaluser", kind="soundfont")
    assert hub.tokens_elsewhere == []


def test_the_queue_carries_it_out(hub: Hub, paths: StudioPaths, tmp_path: Path) -> None:
    request = GetRequest("model", "chatmusician", "Q2_K").to_dict()
    result = finish(HANDLERS["get"](request, JobContext(tmp_path, lambda: False)))
    assert result == {"files": [str(paths.models_dir / "ChatMusician.Q2_K.gguf")]}
    with pytest.raises(UsageError):
        GetRequest.from_dict({"kind": "virus", "name": "x"})


def test_links_need_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert links(read_wish("model", "ilm3")) == (
        "https://huggingface.co/mradermacher/ILM3-8B-Ruby-Music-GGUF/resolve/main/ILM3-8B-Ruby-Music.Q3_K_M.gguf",
    )
    assert links(read_wish("model", "a/b-GGUF", "Q4_K_M")) == ("https://huggingface.co/a/b-GGUF/tree/main",)
    assert links(read_wish("soundfont", "musescore"))[0].startswith("https://ftp.osuosl.org/")
    assert len(links(read_wish("voice", "de_DE-thorsten-high"))) == 2


def test_what_is_known_is_complete() -> None:
    for kind in KINDS:
        for entry in known(kind):
            assert entry.licence and entry.about and entry.files
            assert is_repo(entry.repo) if not entry.address else entry.address.startswith("https://") and len(entry.sha256) == 64
            assert entry.kind != "model" or entry.default_quant in entry.sizes_bytes
            assert getting.links(read_wish(kind, entry.name))


@pytest.mark.parametrize(
    ("name", "quant"),
    [
        ("ChatMusician.Q6_K.gguf", "Q6_K"),
        ("ruby-music-8b-q4_k_m.gguf", "Q4_K_M"),
        ("a/Llama.i1-IQ2_XXS.gguf", "IQ2_XXS"),
        ("x.f16.gguf", "F16"),
        ("big-Q8_0-00001-of-00002.gguf", "Q8_0"),
        ("no-quantization-7b.gguf", ""),
        ("seq2seq.gguf", ""),
    ],
)
def test_quantizations_are_read_from_names(name: str, quant: str) -> None:
    assert quantization_in(name) == quant
