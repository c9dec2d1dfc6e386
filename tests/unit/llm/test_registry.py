from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from llm_music_gen.errors import ModelError
from llm_music_gen.llm.registry import BUILT_IN_FILE, MODELS_VARIABLE, ModelInfo, choose_model, describe_model, find_models
from tests.fakes.gguf_writer import Shape, character_vocabulary, chatml_vocabulary, sentencepiece_vocabulary, write_model

DIGEST = "0123456789abcdef" * 4


def tiny(path: Path, name: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_model(path, character_vocabulary("AB"), Shape(layers=1, width=32, hidden=32, metadata={"test.name": name}))


def found(
    models_dir: Path, home: Path, environment: dict[str, str] | None = None, settings: tuple[Path, ...] = ()
) -> list[ModelInfo]:
    """What is found besides the built-in composer."""
    models = find_models(models_dir, settings_paths=settings, environment=environment or {}, home=home)
    return [model for model in models if model.source != "built-in"]


def test_models_are_found_where_people_keep_them(tmp_path: Path) -> None:
    home = tmp_path / "home"
    tiny(tmp_path / "models" / "mine.gguf")
    tiny(tmp_path / "models" / "deep" / "er" / "Nested.GGUF")
    tiny(tmp_path / "one" / "env-a.gguf")
    tiny(tmp_path / "two" / "env-b.gguf")
    tiny(tmp_path / "set" / "set.gguf")
    tiny(home / ".lmstudio" / "models" / "maker" / "repo" / "studio.gguf")
    tiny(home / ".cache" / "huggingface" / "hub" / "models--a--b" / "snapshots" / "0f" / "hub.gguf")
    tiny(home / ".ollama" / "models" / "blobs" / f"sha256-{DIGEST}")
    manifest = home / ".ollama" / "models" / "manifests" / "registry.ollama.ai" / "library" / "tune" / "7b"
    manifest.parent.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{DIGEST}"}
    manifest.write_text(json.dumps({"layers": [{"mediaType": "x", "digest": "y"}, layer]}), encoding="utf-8")
    places = [str(tmp_path / "one"), "", "~nobody-of-that-name/models", str(tmp_path / "two" / "env-b.gguf")]
    environment = {MODELS_VARIABLE: os.pathsep.join(places)}

    models = found(tmp_path / "models", home, environment, (tmp_path / "set" / "set.gguf",))

    assert [(model.name, model.source) for model in models] == [
        ("set.gguf", "settings"),
        ("mine.gguf", "models"),
        ("Nested.GGUF", "models"),
        ("env-a.gguf", "environment"),
        ("env-b.gguf", "environment"),
        ("studio.gguf", "LM Studio"),
        ("tune:7b", "Ollama"),
        ("hub.gguf", "Hugging Face"),
    ]
    assert all(not model.problem and model.layers == 1 for model in models)


def test_environment_variables_move_the_caches(tmp_path: Path) -> None:
    tiny(tmp_path / "hub" / "models--a--b" / "snapshots" / "0" / "a.gguf")
    tiny(tmp_path / "other" / "models--c--d" / "snapshots" / "0" / "b.gguf")
    names = [model.name for model in found(tmp_path / "none", tmp_path, {"HF_HOME": str(tmp_path)})]
    assert names == ["a.gguf"]
    names = [model.name for model in found(tmp_path / "none", tmp_path, {"HF_HUB_CACHE": str(tmp_path / "other")})]
    assert names == ["b.gguf"]


def test_folders_that_may_not_be_entered_cost_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home of Ollama's service on Linux belongs to that service alone."""
    real = Path.stat

    def stat(self: Path, **options: bool) -> os.stat_result:
        if "ollama" in self.parts:
            raise PermissionError(13, "Permission denied")
        return real(self, **options)

    tiny(tmp_path / "models" / "mine.gguf")
    monkeypatch.setattr(Path, "stat", stat)
    assert [model.name for model in found(tmp_path / "models", tmp_path)] == ["mine.gguf"]


def test_the_hubs_cache_is_found_with_links_and_without(tmp_path: Path) -> None:
    """Linux: links from snapshots to blobs. Windows without the right to make links: the files themselves."""
    hub = tmp_path / ".cache" / "huggingface" / "hub"
    blob = tiny(hub / "models--a--b" / "blobs" / "0123")
    for revision in ("one", "two"):
        snapshot = hub / "models--a--b" / "snapshots" / revision
        snapshot.mkdir(parents=True)
        try:
            (snapshot / "linked.gguf").symlink_to(blob)
        except OSError:
            pytest.skip("no links here")
    tiny(hub / "models--c--d" / "snapshots" / "0" / "deeper" / "plain.gguf")
    tiny(hub / "datasets--e--f" / "snapshots" / "0" / "not_a_model.gguf")
    models = found(tmp_path / "none", tmp_path)
    assert [(model.name, model.source) for model in models] == [("linked.gguf", "Hugging Face"), ("plain.gguf", "Hugging Face")]
    moved = found(tmp_path / "none", tmp_path / "elsewhere", {"XDG_CACHE_HOME": str(tmp_path / ".cache")})
    assert len(moved) == 2


def test_the_same_file_is_listed_once_however_often_it_is_found(tmp_path: Path) -> None:
    path = tiny(tmp_path / "models" / "a.gguf")
    assert len(found(tmp_path / "models", tmp_path, {MODELS_VARIABLE: str(path)}, (path, path.parent))) == 1


def test_a_split_model_is_one_entry(tmp_path: Path) -> None:
    for part in (1, 2, 3):
        tiny(tmp_path / f"big-0000{part}-of-00003.gguf")
    (model,) = found(tmp_path, tmp_path / "home")
    assert (model.name, model.files, model.problem) == ("big-00001-of-00003.gguf", 3, "")


def test_broken_manifests_and_files_cost_only_themselves(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "broken.gguf").write_bytes(b"GGUF")
    tiny(tmp_path / "models" / "good.gguf")
    manifests = tmp_path / ".ollama" / "models" / "manifests" / "r" / "library" / "m"
    manifests.mkdir(parents=True)
    evil = {"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:../../etc/passwd"}]}
    for name, content in {"a": "", "b": "[]", "c": '{"layers": [7]}', "d": "[" * 20_000, "e": json.dumps(evil)}.items():
        (manifests / name).write_text(content, encoding="utf-8")
    broken, good = found(tmp_path / "models", tmp_path)
    assert broken.problem and broken.role is None
    assert not good.problem and good.role == "text"


def test_projectors_are_not_models(tmp_path: Path) -> None:
    tiny(tmp_path / "mmproj-model.gguf")
    assert found(tmp_path, tmp_path / "home") == []


@pytest.mark.parametrize(
    ("file", "vocabulary", "metadata", "role", "template"),
    [
        ("ChatMusician.Q6_K.gguf", sentencepiece_vocabulary, {}, "abc", "chatmusician"),
        ("ILM3-8B-Ruby-Music.Q3_K_M.gguf", chatml_vocabulary, {}, "chat", "chatml"),
        ("ILM3-8B-Ruby-Music.Q3_K_M.gguf", character_vocabulary, {}, "chat", "chatml"),
        ("composer.gguf", character_vocabulary, {"llm_music_gen.format": "composer-text-1"}, "composer-text", "composer-text"),
        ("composer.gguf", character_vocabulary, {"llm_music_gen.format": "composer-text-9"}, "text", "plain"),
        ("renamed.gguf", sentencepiece_vocabulary, {"general.basename": "ChatMusician"}, "abc", "chatmusician"),
        ("TinyLlama-1.1B-Chat-v1.0.Q4_K_M.gguf", character_vocabulary, {}, "chat", "alpaca"),
        ("llama.gguf", character_vocabulary, {"tokenizer.chat_template": "<|start_header_id|>"}, "chat", "llama-3"),
    ],
)
def test_the_users_models_are_recognised(
    tmp_path: Path, file: str, vocabulary: object, metadata: dict[str, str], role: str, template: str
) -> None:
    assert callable(vocabulary)
    model = describe_model(write_model(tmp_path / file, vocabulary(), Shape(layers=1, width=32, hidden=32, metadata=metadata)))
    assert (model.role, model.template) == (role, template)


def test_a_model_is_chosen_by_path_name_or_part_of_it(tmp_path: Path) -> None:
    path = tiny(tmp_path / "models" / "ChatMusician.Q6_K.gguf")
    tiny(tmp_path / "models" / "ChatMusician.Q4_K_M.gguf")
    tiny(tmp_path / "models" / "ILM3-8B.gguf")
    models = found(tmp_path / "models", tmp_path)
    for name in (str(path), "ChatMusician.Q6_K.gguf", "chatmusician.q6_k", "Q6"):
        assert choose_model(name, models).path == path
    blob = path.rename(tmp_path / f"sha256-{DIGEST}")
    assert choose_model(str(blob), models).path == blob
    blob.rename(path)
    with pytest.raises(ModelError, match=r"could be any of ChatMusician.Q4_K_M.gguf, ChatMusician.Q6_K.gguf"):
        choose_model("ChatMusician", models)
    with pytest.raises(ModelError, match=r"Did you mean ILM3-8B\.gguf"):
        choose_model("ilm3-9b", models)
    with pytest.raises(ModelError, match="There is no model ''"):
        choose_model("", models)
    (tmp_path / "bad.gguf").write_bytes(b"")
    with pytest.raises(ModelError, match="empty"):
        choose_model(str(tmp_path / "bad.gguf"), models)


def test_the_built_in_composer_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny(tmp_path / "checkout" / "models" / BUILT_IN_FILE)
    monkeypatch.setattr("llm_music_gen.llm.registry.checkout_root", lambda: tmp_path / "checkout")
    tiny(tmp_path / "models" / "a.gguf")
    models = find_models(tmp_path / "models", environment={}, home=tmp_path)
    assert [(model.name, model.source) for model in models] == [(BUILT_IN_FILE, "built-in"), ("a.gguf", "models")]
