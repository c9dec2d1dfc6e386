"""Four ways the app can look, and the look for Windows' old console, which knows few characters."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from textual.theme import Theme

THEMES = (
    Theme(
        name="calm", primary="#8fb8de", secondary="#c3a6d8", accent="#f2c879", foreground="#dfe3ea", background="#171a21",
        surface="#1e222b", panel="#262b36", success="#9ccfa0", warning="#f0c674", error="#e88388", dark=True,
    ),
    Theme(
        name="paper", primary="#2d5f8b", secondary="#7a4f8f", accent="#9a5b00", foreground="#22252b", background="#f6f3ec",
        surface="#efebe1", panel="#e5dfd1", success="#2f6f3a", warning="#8a5a00", error="#a32a2f", dark=False,
    ),
    Theme(
        name="contrast", primary="#ffff00", secondary="#00ffff", accent="#00ff00", foreground="#ffffff", background="#000000",
        surface="#000000", panel="#000000", success="#00ff00", warning="#ffff00", error="#ff6060", dark=True,
    ),
    Theme(
        name="plain", primary="ansi_bright_blue", secondary="ansi_bright_magenta", accent="ansi_bright_yellow",
        foreground="ansi_default", background="ansi_default", surface="ansi_default", panel="ansi_default",
        success="ansi_green", warning="ansi_yellow", error="ansi_red", dark=True,
    ),
)  # fmt: skip
THEME_NAMES = tuple(theme.name for theme in THEMES)


def is_old_console(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> bool:
    """Whether this is Windows' console from before Windows Terminal, which draws only plain borders.

    LLM_MUSIC_GEN_SAFE_LOOK=1 asks for that look anywhere.
    """
    if environment.get("LLM_MUSIC_GEN_SAFE_LOOK") == "1":
        return True
    modern = ("WT_SESSION", "TERM_PROGRAM", "ConEmuANSI", "ALACRITTY_LOG", "WEZTERM_PANE", "TEXTUAL_DRIVER")
    return platform == "win32" and not any(environment.get(name) for name in modern)
