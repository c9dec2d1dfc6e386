"""Puts the built-in composer into the wheel: it lives in `models/` of a checkout, outside the package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuiltInComposer(BuildHookInterface):  # type: ignore[type-arg]
    """Maps `models/*.built-in.gguf` to `llm_music_gen/builtin/`. An editable install reads the checkout instead."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "standard":
            return
        models = sorted(Path(self.root, "models").glob("*.built-in.gguf"))
        if not models:
            raise FileNotFoundError("models/ holds no *.built-in.gguf: a wheel without its composer cannot write music.")
        build_data["force_include"].update({str(path): f"llm_music_gen/builtin/{path.name}" for path in models})
