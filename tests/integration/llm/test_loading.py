"""Loading in a process of its own: what native code prints, files that llama.cpp refuses, memory that does not suffice."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llm_music_gen.errors import DependencyMissing, ModelError, UsageError
from llm_music_gen.llm.backend import load_model, thread_count, useful_threads
from llm_music_gen.llm.offload import gpu_attempts
from tests.fakes.gguf_writer import Shape, character_vocabulary, write_model
from tests.integration.llm.conftest import ModelFile

WRITE = """
from pathlib import Path
from typing import Any
from llm_music_gen.domain.text_model import Sampling
from llm_music_gen.errors import ModelError
from llm_music_gen.llm.backend import load_model
{before}
try:
    model = load_model(Path({path!r}), binding={binding!r}, threads=2, context_tokens={context})
    print("loaded", model.name)
    print(len("".join(model.generate(model.tokenize("M:4/4"), Sampling(max_tokens=30)))) > 0)
    model.close()
except ModelError as error:
    print("ModelError:", error)
"""


def run(path: Path, binding: str, *, context: int = 256, before: str = "") -> subprocess.CompletedProcess[str]:
    """Load and write in a fresh interpreter."""
    program = WRITE.format(path=str(path), binding=binding, context=context, before=before)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)


def test_native_code_prints_nothing(model_file: ModelFile, binding: str) -> None:
    done = run(model_file("sentencepiece"), binding)
    assert done.stdout.splitlines() == ["loaded sentencepiece.gguf", "True"]
    assert done.stderr == ""
    assert done.returncode == 0


DAMAGE = {
    "unknown_architecture": (b"llama", b"lhama"),
    "unknown_tokenizer": (b"\4\0\0\0\0\0\0\0gpt2", b"\4\0\0\0\0\0\0\0gptx"),
    "missing_tensor": (b"blk.0.attn_q.weight", b"blk.0.attn_x.weight"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_what_llama_cpp_refuses_is_one_sentence(tmp_path: Path, binding: str, name: str) -> None:
    path = write_model(tmp_path / "odd.gguf", character_vocabulary(), Shape(layers=1, width=32, hidden=32))
    path.write_bytes(path.read_bytes().replace(*DAMAGE[name]))
    done = run(path, binding)
    (line,) = done.stdout.splitlines()
    assert line.startswith("ModelError:") and "odd.gguf" in line and line.endswith(".") and "llama_" not in line
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="memory limits are set the POSIX way")
def test_too_little_memory_is_one_sentence(tmp_path: Path, binding: str) -> None:
    path = write_model(tmp_path / "long.gguf", character_vocabulary(), Shape(layers=8, width=256, hidden=32, context=2**24))
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30))"
    done = run(path, binding, context=2**22, before=limit)
    assert done.stdout.splitlines()[-1].startswith("ModelError: The model long.gguf cannot be loaded")
    assert done.returncode == 0


def test_every_refused_file_raises_before_a_binding_is_imported(tmp_path: Path) -> None:
    (tmp_path / "cut.gguf").write_bytes(write_model(tmp_path / "m.gguf", character_vocabulary()).read_bytes()[:5000])
    program = (
        "import sys; from pathlib import Path\n"
        "from llm_music_gen.errors import ModelError; from llm_music_gen.llm import backend\n"
        f"try: backend.load_model(Path({str(tmp_path / 'cut.gguf')!r}))\n"
        "except ModelError as error: print(error)\n"
        "print(backend.binding_names(), backend.installed_bindings() != None)\n"
        "print([name for name in ('llama_cpp', 'xllamacpp') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert "incomplete" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_unknown_bindings_and_contexts_are_refused(model_file: ModelFile) -> None:
    with pytest.raises(UsageError, match="llama-cpp-python"):
        load_model(model_file("characters"), binding="llama.cpp")
    with pytest.raises(UsageError, match="at least 1"):
        load_model(model_file("characters"), context_tokens=0)


def test_without_a_binding_it_is_said_how_to_get_one(model_file: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("llama_cpp", "xllamacpp"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("llm_music_gen.llm.llamacpp._native", None)
    with pytest.raises(DependencyMissing, match="pip install xllamacpp"):
        load_model(model_file("characters"))


def test_auto_takes_the_next_binding_when_the_first_is_missing(model_file: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xllamacpp")
    monkeypatch.setitem(sys.modules, "llama_cpp", None)
    monkeypatch.setattr("llm_music_gen.llm.llamacpp._native", None)
    model = load_model(model_file("characters"), threads=1)
    assert type(model).__module__ == "llm_music_gen.llm.xllamacpp"
    model.close()


def test_the_context_is_cut_to_what_the_model_was_trained_for(tmp_path: Path, binding: str) -> None:
    path = write_model(tmp_path / "short.gguf", character_vocabulary(), Shape(layers=1, width=32, hidden=32, context=256))
    model = load_model(path, binding=binding, threads=1, context_tokens=4096)
    assert model.context_tokens == 256
    model.close()


def test_a_name_with_accents_and_spaces_loads(tmp_path: Path, binding: str) -> None:
    path = write_model(tmp_path / "Mélodie ♪ 1.gguf", character_vocabulary(), Shape(layers=1, width=32, hidden=32))
    model = load_model(path, binding=binding, threads=1)
    assert model.name == "Mélodie ♪ 1.gguf"
    model.close()


def test_gpu_layers_are_halved_until_the_model_loads() -> None:
    assert gpu_attempts(-1, 32) == [33, 16, 8, 4, 2, 1, 0]
    assert gpu_attempts(5, 32) == [5, 2, 1, 0]
    assert gpu_attempts(0, 32) == [0]


def test_there_is_always_a_thread() -> None:
    assert thread_count(0.0) == thread_count(0.0001) == 1
    assert thread_count(1.0) == os.cpu_count()
    assert useful_threads(16, 12 * 2**20) == 1
    assert useful_threads(5, 5 * 2**30) == 5


def test_errors_are_model_errors_for_missing_files(tmp_path: Path, binding: str) -> None:
    with pytest.raises(ModelError, match="no model file"):
        load_model(tmp_path / "none.gguf", binding=binding)


def fake_card(monkeypatch: pytest.MonkeyPatch, binding: str, takes: int) -> list[int]:
    """A graphics card that takes so many layers; more fail to load. Returns what is tried."""
    tried: list[int] = []
    if binding == "llama-cpp-python":
        module = pytest.importorskip("llm_music_gen.llm.llamacpp")
        native = module._library()
        monkeypatch.setattr(native, "llama_supports_gpu_offload", lambda: True)
        kind = module.LlamaCppModel
    else:
        module = pytest.importorskip("llm_music_gen.llm.xllamacpp")
        xllamacpp = pytest.importorskip("xllamacpp")
        card = {"type": "GGML_BACKEND_DEVICE_TYPE_GPU: 1", "memory_free": 4 * 2**30}
        monkeypatch.setattr(xllamacpp, "get_device_info", lambda: [card])
        kind = module.XllamaCppModel
    real = kind._open

    def open_with_card(model: Any, *arguments: Any) -> Any:
        first = binding == "llama-cpp-python"
        layers = arguments[0] if first else arguments[1]
        tried.append(layers)
        if layers > takes:
            return False if first else None
        return real(model, *((0, *arguments[1:]) if first else (arguments[0], 0)))

    monkeypatch.setattr(kind, "_open", open_with_card)
    return tried


@pytest.mark.parametrize(("takes", "tried", "ends"), [(40, [9], 9), (5, [9, 4], 4), (0, [9, 4, 2, 1, 0], 0)])
def test_layers_are_halved_until_the_card_takes_them(
    tmp_path: Path, binding: str, monkeypatch: pytest.MonkeyPatch, takes: int, tried: list[int], ends: int
) -> None:
    path = write_model(tmp_path / "m.gguf", character_vocabulary(), Shape(layers=8, width=32, hidden=32))
    seen = fake_card(monkeypatch, binding, takes)
    model = load_model(path, binding=binding, threads=1, context_tokens=64, gpu_layers=-1)
    assert seen == tried and getattr(model, "gpu_layers", None) == ends
    model.close()


def test_without_a_graphics_card_nothing_is_put_there(tmp_path: Path, binding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_model(tmp_path / "m.gguf", character_vocabulary(), Shape(layers=2, width=32, hidden=32))
    gpu = importlib.import_module(f"llm_music_gen.llm.{'llamacpp' if binding == 'llama-cpp-python' else binding}").gpu
    if gpu() is not None:
        pytest.skip("this computer has a graphics card")
    model = load_model(path, binding=binding, threads=1, context_tokens=64, gpu_layers=-1)
    assert getattr(model, "gpu_layers", None) == 0
    model.close()
