"""`models get`, `get soundfont` and `get voice` on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llm_music_gen.__main__ import main
from tests.fakes.gguf_writer import Shape, character_vocabulary, write_model
from tests.fakes.hub_server import running_hub

REPO = "someone/tunes-GGUF"


def test_what_is_known_is_listed_with_size_and_licence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "get"]) == 0
    out = capsys.readouterr().out
    assert "chatmusician" in out and "Q6_K 5.53 GB" in out and "ilm3" in out and "Apache-2.0" in out
    assert main(["get", "soundfont", "--json"]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["name"] for entry in entries] == ["generaluser", "musescore"]
    assert main(["get", "voice"]) == 0
    assert "en_US-lessac-medium" in capsys.readouterr().out


def test_a_link_is_all_that_is_printed_when_it_is_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert main(["models", "get", "chatmusician", "--quant", "Q2_K", "--link"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "https://huggingface.co/MaziyarPanahi/ChatMusician-GGUF/resolve/main/ChatMusician.Q2_K.gguf\n"
    assert printed.err == ""


def test_a_model_is_fetched_and_then_listed(
    tmp_path: Path, studio_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = Shape(layers=1, width=32, hidden=32)
    content = write_model(tmp_path / "tiny.gguf", character_vocabulary("AB"), shape).read_bytes()
    with running_hub({f"{REPO}/tunes.Q8_0.gguf": content}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        hub.break_after = [len(content) // 2]
        assert main(["models", "get", REPO, "--json"]) == 0
    printed = capsys.readouterr()
    place = studio_home / "models" / "tunes.Q8_0.gguf"
    assert json.loads(printed.out) == {"file": str(place), "size_bytes": len(content)}
    assert "By hand: " in printed.err and "100% Complete" in printed.err
    assert main(["models", "list", "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(model["source"], model["problem"]) for model in listed if model["name"] == place.name] == [("models", "")]
    assert main(["models", "list"]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith(place.name)]
    for told in ("models", "F32", "llama", "1 layers", "context 2048", "template plain", "for tunes"):
        assert told in line, line


def test_a_download_whose_process_was_killed_goes_on(
    studio_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytes(range(256)) * 1000
    place = studio_home / "models" / "voices" / "ggml-base.bin"
    with running_hub({"ggerganov/whisper.cpp/ggml-base.bin": content}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        hub.silent_after = [100_000]
        command = [sys.executable, "-m", "llm_music_gen", "get", "voice", "whisper-base"]
        curious = {**os.environ, "HF_HOME": str(studio_home), "HF_HUB_DISABLE_TELEMETRY": "0"}
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=curious) as process:
            deadline_s = time.monotonic() + 60
            part = place.with_name("ggml-base.bin.part")
            while not part.exists() or part.stat().st_size < 100_000:
                assert time.monotonic() < deadline_s and process.poll() is None
                time.sleep(0.02)
            process.kill()
        assert not place.exists()
        assert all(path.split("/")[-1] in ("ggml-base.bin", "whisper.cpp") for path in hub.paths), "nothing else is asked or told"
        assert all(agent.startswith("llm-music-gen/") and "agent/" not in agent for agent in hub.agents)
        assert main(["get", "voice", "whisper-base"]) == 0
        assert place.read_bytes() == content
        assert hub.sent_bytes == len(content)
    assert capsys.readouterr().out == f"Llm-Music-Gen: {place} is ready.\n"


def test_the_hubs_own_switch_for_no_network_is_obeyed(studio_home: Path) -> None:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_ENDPOINT": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "llm_music_gen", "models", "get", "ilm3", "--json"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
    assert run.returncode == 1 and run.stdout == ""
    assert "HF_HUB_OFFLINE" in run.stderr and "ILM3-8B-Ruby-Music.Q3_K_M.gguf into" in run.stderr


def test_nonsense_is_wrong_usage_with_what_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get", "soundfont", "kazoo"]) == 2
    assert "Known: generaluser, musescore." in capsys.readouterr().err
    assert main(["get"]) == 2
