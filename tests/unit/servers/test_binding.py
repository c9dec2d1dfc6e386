"""Whatever listens does so on this computer alone."""

from __future__ import annotations

import ast
from pathlib import Path

import llm_music_gen
from llm_music_gen.servers import mcp, web

PACKAGE = Path(llm_music_gen.__file__).parent
#: What would open a port to other computers.
EVERYWHERE = {"0.0.0.0", "::", "[::]", "*", ""}


def test_the_servers_have_the_address_of_this_computer() -> None:
    assert mcp.HOST == web.HOST == "127.0.0.1"


def test_no_address_for_everybody_is_given_to_anything() -> None:
    given = 0
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "host" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.keyword) or node.arg not in ("host", "hostname", "bind", "address"):
                continue
            given += 1
            assert not (isinstance(node.value, ast.Constant) and node.value.value in EVERYWHERE), f"{path}:{node.value.lineno}"
            if path.parent.name == "servers":
                assert isinstance(node.value, ast.Name) and node.value.id == "HOST", f"{path}:{node.value.lineno}"
        assert "0.0.0.0" not in text, path
    assert given >= 3
