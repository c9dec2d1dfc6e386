"""Chooses how llama.cpp is reached: by name, imported on first use; listing the choices imports nothing."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import cast

from llm_music_gen.domain.text_model import TextModel
from llm_music_gen.errors import DependencyMissing, ModelError, UsageError
from llm_music_gen.llm.gguf import read_gguf_header
from llm_music_gen.llm.offload import Gpu

AUTO = "auto"
#: Weights that are worth a thread of their own. In smaller models threads wait for each other longer than they work.
BYTES_PER_THREAD = 64 * 2**20
#: Name -> (package to look for, our module, its class). The first that is installed is the one "auto" takes.
_BINDINGS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "llama-cpp-python": ("llama_cpp", "llm_music_gen.llm.llamacpp", "LlamaCppModel"),
        "xllamacpp": ("xllamacpp", "llm_music_gen.llm.xllamacpp", "XllamaCppModel"),
    }
)


def binding_names() -> tuple[str, ...]:
    """Every binding there is a module for, the preferred one first."""
    return tuple(_BINDINGS)


def installed_bindings() -> tuple[str, ...]:
    """Those of `binding_names` whose package is installed, without importing it."""
    return tuple(name for name, (package, _, _) in _BINDINGS.items() if importlib.util.find_spec(package) is not None)


def thread_count(fraction: float) -> int:
    """max(1, fraction of the logical cores), rounded down."""
    return max(1, int((os.cpu_count() or 1) * fraction + 1e-9))


def useful_threads(threads: int, size_bytes: int) -> int:
    """`threads`, or fewer for a model of `size_bytes` that has not work enough for them; at least 1."""
    return max(1, min(threads, 1 + size_bytes // BYTES_PER_THREAD))


def usable_gpu() -> Gpu | None:
    """The graphics card that the binding would use which "auto" takes; None without one. Imports the binding."""
    for _, module, _ in _BINDINGS.values():
        try:
            found = importlib.import_module(module).gpu()
        except (ImportError, OSError):
            continue
        return cast("Gpu | None", found)
    return None


def load_model(
    path: Path,
    *,
    binding: str = AUTO,
    threads: int | None = None,
    context_tokens: int = 2048,
    gpu_layers: int = 0,
) -> TextModel:
    """Load a GGUF file.

    `threads` None takes 5/6 of the logical cores; small models get fewer, see `useful_threads`. `context_tokens` is cut to what
    the model was trained for. `gpu_layers` 0 stays on the CPU, -1 puts on the GPU what fits. With "auto" the next binding is
    tried when the first cannot even be imported.
    Raises ModelError (the file or its memory), DependencyMissing (no binding), UsageError (unknown binding).
    """
    if binding != AUTO and binding not in _BINDINGS:
        raise UsageError(f"There is no binding named {binding!r}.", hint=f"Choose one of: {AUTO}, {', '.join(_BINDINGS)}.")
    if context_tokens < 1:
        raise UsageError("A context has at least 1 token.")
    header = read_gguf_header(path)
    if not header.layers:
        raise ModelError(f"{path.name} is a GGUF file, but not a language model.")
    reasons = []
    for name in _BINDINGS if binding == AUTO else (binding,):
        package, module, class_name = _BINDINGS[name]
        try:
            loader = getattr(importlib.import_module(module), class_name)
            model = loader(
                header.path,
                threads=useful_threads(thread_count(5 / 6) if threads is None else threads, header.size_bytes),
                context_tokens=context_tokens,
                gpu_layers=gpu_layers,
                block_count=header.layers,
            )
        except (ImportError, OSError) as error:
            reasons.append(f"{package}: {error}")
        else:
            return cast(TextModel, model)
    raise DependencyMissing(
        f"Language models need llama.cpp, which cannot be used here ({'; '.join(reasons)}).",
        hint="Install it with: pip install xllamacpp (or, with a C++ compiler, pip install llama-cpp-python).",
    )
