"""The JSON Schemas that ship say what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["recipe", "settings", "style"])
def test_a_shipped_schema_is_the_one_of_the_code(name: str) -> None:
    spec = importlib.util.spec_from_file_location("write_schemas", CHECKOUT / "docs" / "write_schemas.py")
    assert spec is not None and spec.loader is not None
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    shipped = (CHECKOUT / "llm_music_gen" / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
    assert shipped == writer.schema_text(name), "run: python docs/write_schemas.py"
