"""What the repository promises about itself: licence, changelog, commands in the README, links."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

import llm_music_gen
from llm_music_gen.settings import Settings
from llm_music_gen.studio.recipe import Recipe, ThemeRecord
from llm_music_gen.tui.actions import ACTIONS

CHECKOUT = Path(__file__).parents[2]


def test_the_licence_is_the_whole_text_of_the_gpl() -> None:
    text = (CHECKOUT / "LICENSE").read_text(encoding="utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in text and "Version 3, 29 June 2007" in text
    assert "How to Apply These Terms to Your New Programs" in text


def test_the_changelog_knows_this_version() -> None:
    text = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[({re.escape(llm_music_gen.__version__)}|Unreleased)\]", text, re.MULTILINE)


def test_the_readme_sets_everything_up_with_two_commands() -> None:
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert './launcher.sh generate "Chill, Dubstep"' in text and 'launcher.bat generate "Chill, Dubstep"' in text
    assert "./launcher.sh test" in text and "launcher.bat test" in text


def test_the_page_on_formats_names_every_key() -> None:
    text = (CHECKOUT / "docs" / "formats.md").read_text(encoding="utf-8")
    keys = {info.alias or name for model in (Recipe, ThemeRecord) for name, info in model.model_fields.items()}
    assert {key for key in keys | set(Settings.model_fields) if f"`{key}`" not in text} == set()


def test_the_page_on_keys_tells_every_key_of_every_screen() -> None:
    text = (CHECKOUT / "docs" / "guide" / "keys.md").read_text(encoding="utf-8")
    told = [line for line in text.splitlines() if line.startswith("| `")]
    wanted = [f"| `{action.key_text}` | {action.help} |" for actions in ACTIONS.values() for action in actions]
    assert told == wanted, "run: python docs/write_keys.py"


def test_the_page_on_tools_is_that_of_their_signatures() -> None:
    spec = importlib.util.spec_from_file_location("write_tools", CHECKOUT / "docs" / "write_tools.py")
    assert spec is not None and spec.loader is not None
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    assert (CHECKOUT / "docs" / "tools.md").read_text(encoding="utf-8") == writer.page(), "run: python docs/write_tools.py"


@pytest.mark.parametrize("page", ["README.md", *sorted(str(p.relative_to(CHECKOUT)) for p in (CHECKOUT / "docs").rglob("*.md"))])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    path = CHECKOUT / page
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []
