"""Writes the JSON Schemas that ship with the package: `python docs/write_schemas.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llm_music_gen.settings import Settings
from llm_music_gen.studio.recipe import Recipe
from llm_music_gen.styles import Style

FOLDER = Path(__file__).parents[1] / "llm_music_gen" / "schemas"
MODELS = {"recipe": Recipe, "settings": Settings, "style": Style}


def schema_text(name: str) -> str:
    """One schema as it stands in its file."""
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **MODELS[name].model_json_schema()}
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in MODELS:
        (FOLDER / f"{each}.schema.json").write_text(schema_text(each), encoding="utf-8")
