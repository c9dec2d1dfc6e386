"""Finds the models on this computer and says what each is good for. Nothing is loaded, moved or changed.

Order: the folders named in the settings, the studio's own `models/`, those in `LLM_MUSIC_GEN_MODELS`, then where LM Studio,
Ollama and the Hugging Face cache keep theirs. The same file found twice is listed once, a split model as one.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_music_gen.errors import ModelError
from llm_music_gen.llm.formats import Role, format_name, role_of
from llm_music_gen.llm.gguf import GgufHeader, read_gguf_header, split_parts
from llm_music_gen.paths import PACKAGE_DIR, checkout_root

MODELS_VARIABLE = "LLM_MUSIC_GEN_MODELS"
BUILT_IN_FILE = "composer.built-in.gguf"
#: How deep below a folder, and how many of its entries, a search looks at.
MAX_DEPTH, MAX_ENTRIES = 5, 20_000
MAX_MANIFEST_BYTES = 2**20
_DIGEST = re.compile(r"^sha256[:-]([0-9a-f]{64})$")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model as the user sees it in a list."""

    path: Path
    """What to load; of a split model the first part."""
    name: str
    """The file's name, or for Ollama `model:tag`."""
    source: str
    """Where it was found: built-in, models, settings, environment, LM Studio, Ollama, Hugging Face."""
    size_bytes: int = 0
    files: int = 1
    architecture: str = ""
    quantization: str = ""
    parameters: int = 0
    context_tokens: int = 0
    layers: int = 0
    template: str = ""
    """Name of the prompt format that fits, from `formats`."""
    role: Role | None = None
    """What it suits best; None when it cannot be used."""
    problem: str = ""
    """Why it cannot be used, in one sentence."""


def built_in_composer() -> Path:
    """The composer that comes with the studio: in the checkout's `models/`, in a wheel among the package's data.

    Raises ModelError when it is missing.
    """
    path = _built_in_path()
    if path is None:
        raise ModelError(f"The built-in composer {BUILT_IN_FILE} is missing; install the studio again.")
    return path


def _built_in_path() -> Path | None:
    root = checkout_root()
    places = [*([root / "models"] if root else []), PACKAGE_DIR / "builtin"]
    return next((place / BUILT_IN_FILE for place in places if (place / BUILT_IN_FILE).is_file()), None)


def describe_model(path: Path, *, name: str = "", source: str = "") -> ModelInfo:
    """What the header of `path` says. A file that cannot be used comes back with its `problem`, not as an exception."""
    name = name or path.name
    try:
        header = read_gguf_header(path)
    except ModelError as error:
        return ModelInfo(split_parts(path)[0], name, source, problem=str(error))
    return ModelInfo(
        path=header.path,
        name=name if len(header.files) == 1 else header.path.name,
        source=source,
        size_bytes=header.size_bytes,
        files=len(header.files),
        architecture=header.architecture,
        quantization=header.quantization,
        parameters=header.parameters,
        context_tokens=header.context_tokens,
        layers=header.layers,
        template=format_name(header, name),
        role=role_of(header, name) if _is_language_model(header) else None,
        problem="" if _is_language_model(header) else f"{name} is a GGUF file, but not a language model.",
    )


def _is_language_model(header: GgufHeader) -> bool:
    return header.layers > 0 and header.parameters > 0 and header.vocabulary_size > 0


def find_models(
    models_dir: Path,
    *,
    settings_paths: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> list[ModelInfo]:
    """Every model on this computer, the built-in one first. Broken files are listed with their problem."""
    environment = os.environ if environment is None else environment
    found: dict[Path, ModelInfo] = {}
    for path, name, source in _candidates(models_dir, settings_paths, environment, home or Path.home()):
        path = split_parts(path)[0]
        identity = _identity(path)
        if identity not in found:
            found[identity] = describe_model(path, name=name, source=source)
    return list(found.values())


def choose_model(name: str, models: Sequence[ModelInfo]) -> ModelInfo:
    """The model that `name` means: a path, a file name with or without `.gguf`, or an unmistakable part of one.

    Raises ModelError when there is none, or more than one, or it cannot be used.
    """
    path = _path_named(name)
    chosen = _by_name(name, models) if path is None else describe_model(path, source="path")
    if chosen.problem:
        raise ModelError(chosen.problem)
    return chosen


def _by_name(name: str, models: Sequence[ModelInfo]) -> ModelInfo:
    wanted = name.lower().removesuffix(".gguf")
    names = [model.name.lower().removesuffix(".gguf") for model in models]
    exact = [model for model, candidate in zip(models, names, strict=True) if candidate == wanted]
    partly = [model for model, candidate in zip(models, names, strict=True) if wanted and wanted in candidate]
    if exact:
        return exact[0]
    if len(partly) == 1:
        return partly[0]
    if partly:
        raise ModelError(f"{name!r} could be any of {', '.join(sorted(model.name for model in partly))}; say which.")
    near = difflib.get_close_matches(wanted, names, n=1)
    hint = f"Did you mean {models[names.index(near[0])].name}?" if near else "See them all with: llm-music-gen models list"
    raise ModelError(f"There is no model {name!r}.", hint=hint)


def _candidates(
    models_dir: Path, settings_paths: Sequence[Path], environment: Mapping[str, str], home: Path
) -> Iterator[tuple[Path, str, str]]:
    """(file, name, source) of every candidate in order, repetitions included."""
    built_in = _built_in_path()
    if built_in is not None:
        yield built_in, BUILT_IN_FILE, "built-in"
    for place in settings_paths:
        yield from _in_place(place, "settings")
    yield from _in_place(models_dir, "models")
    for text in environment.get(MODELS_VARIABLE, "").split(os.pathsep):
        if text.strip():
            yield from _in_place(Path(os.path.expanduser(text.strip())), "environment")  # noqa: PTH111 - knows no unknown homes
    for folder in (home / ".lmstudio" / "models", home / ".cache" / "lm-studio" / "models"):
        yield from _in_place(folder, "LM Studio")
    for folder in _ollama_folders(environment, home):
        yield from _in_ollama(folder)
    for folder in _entries(_hugging_face_folder(environment, home)):
        if folder.name.startswith("models--"):
            yield from _in_place(folder / "snapshots", "Hugging Face")


def _in_place(place: Path, source: str) -> Iterator[tuple[Path, str, str]]:
    files = _gguf_files(place) if _is_folder(place) else [place] if place.suffix.lower() == ".gguf" else []
    for file in files:
        if "mmproj" not in file.name.lower():  # the eyes of a multimodal model, not a model
            yield file, file.name, source


def _gguf_files(folder: Path) -> Iterator[Path]:
    """GGUF files below `folder`, sorted, following no linked folders."""
    seen = 0
    for here, folders, names in os.walk(folder):
        seen += len(names) + len(folders)
        if seen > MAX_ENTRIES:
            return
        depth = len(Path(here).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if depth < MAX_DEPTH else []
        yield from (Path(here, name) for name in sorted(names) if name.lower().endswith(".gguf"))


def _is_folder(path: Path) -> bool:
    """Whether it is a folder that may be looked at; Ollama's service on Linux keeps a home that others may not enter."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _path_named(name: str) -> Path | None:
    """The GGUF file, folder or link of that name, or another file by its whole path (Ollama's have no ending); otherwise None."""
    try:
        path = Path(name).expanduser()
        if path.suffix.lower() == ".gguf":
            return path if path.exists() or path.is_symlink() else None
        return path if path.is_absolute() and path.is_file() else None
    except (OSError, RuntimeError, ValueError):  # too long, somebody else's home, a zero byte
        return None


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())[:MAX_ENTRIES]
    except OSError:
        return []


def _identity(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a link to itself
        return path.absolute()


def _hugging_face_folder(environment: Mapping[str, str], home: Path) -> Path:
    if environment.get("HF_HUB_CACHE"):
        return Path(environment["HF_HUB_CACHE"])
    if environment.get("HF_HOME"):
        return Path(environment["HF_HOME"]) / "hub"
    return Path(environment.get("XDG_CACHE_HOME") or home / ".cache") / "huggingface" / "hub"


def _ollama_folders(environment: Mapping[str, str], home: Path) -> list[Path]:
    if environment.get("OLLAMA_MODELS"):
        return [Path(environment["OLLAMA_MODELS"])]
    return [home / ".ollama" / "models", Path("/usr/share/ollama/.ollama/models")]


def _in_ollama(folder: Path) -> Iterator[tuple[Path, str, str]]:
    """Models in Ollama's store: `manifests/<registry>/<owner>/<model>/<tag>` name blobs by checksum."""
    manifests = folder / "manifests"
    if not _is_folder(manifests):
        return
    for manifest in _manifest_files(manifests):
        blob = _ollama_blob(manifest)
        if blob is not None:
            owner, model, tag = manifest.parts[-3:]
            name = f"{model}:{tag}" if owner == "library" else f"{owner}/{model}:{tag}"
            yield folder / "blobs" / f"sha256-{blob}", name, "Ollama"


def _manifest_files(manifests: Path) -> list[Path]:
    try:
        return sorted(manifests.glob("*/*/*/*"))[:MAX_ENTRIES]
    except OSError:
        return []


def _ollama_blob(manifest: Path) -> str | None:
    """The checksum of the weights that a manifest names, or None when it is none or unreadable."""
    try:
        if not manifest.is_file() or manifest.stat().st_size > MAX_MANIFEST_BYTES:
            return None
        layers = json.loads(manifest.read_text(encoding="utf-8"))["layers"]
        digests = [layer["digest"] for layer in layers if layer["mediaType"] == "application/vnd.ollama.image.model"]
        match = _DIGEST.match(digests[0])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return match[1] if match else None
