"""R13: three hundred titles that mean something to a file system become names that Windows takes, inside their folder."""

# ruff: noqa: E501 - lists of hostile texts are easier to read whole

from __future__ import annotations

import random
import unicodedata
from pathlib import Path

from llm_music_gen.studio.names import free_name, safe_name, stem_names
from tests.reliability.figures import Figure
from tests.unit.studio.test_names import HOSTILE

_DEVICES = (
    "CON",
    "PRN",
    "AUX",
    "NUL",
    "CONIN$",
    "CONOUT$",
    *(f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"),
)
_ESCAPES = (
    "../../x", "..\\..\\x", "..", ".", "/etc/passwd", "//srv/share/x", "\\\\srv\\share\\x", "\\\\?\\C:\\x", "\\\\.\\PhysicalDrive0", "C:\\x",
    "C:x", "c:", "file:///etc/passwd", "x/../../../y", "x\\..\\y", "~/x", "~root", "x:stream", "x::$DATA", "%2e%2e%2fx", "..%c0%afx",
    "%APPDATA%", "$HOME", "$(x)", "`x`", "${IFS}", "-rf", "--help", "/?", "x;y", "x&y", "x|y", "x>y", "x<y", "x^y", "!x!", "a b", "'x'", '"x"',
)  # fmt: skip
_SIGNS = (
    "\0", "\n", "\r\n", "\t", "\x1b[31m", "\x07", "\x7f", "\x85", "\u200b", "\u200d", "\u200e", "\u202e", "\u2066", "\u2028", "\ufeff", "\ufff9",
    "\ud800", "\udfff", "\ue000", "\U000e0041", "\u0301", "\u3000", "\u00a0", "\u00ad", "／", "＼", "：", "․", "‥", "ﬀ", "İ", "ı", "ß", "Å", "Å",
)  # fmt: skip


def titles() -> list[str]:
    """At least three hundred, each once."""
    found = list(HOSTILE)
    for device in _DEVICES:
        found += [device, device.lower() + ".mp3", f" {device} ", f"{device}.tar.gz", f"{device}."]
    found += _ESCAPES
    found += [f"{sign}x" for sign in _SIGNS] + [f"gnp{sign}exe." for sign in _SIGNS] + list(_SIGNS)
    found += [
        letter * count
        for letter in ("x", "é", "e\u0301", "👩‍👩‍👧", "漢", "𝄞", ".", " ", "-", "\u0301")
        for count in (79, 80, 81, 300)
    ]
    chance = random.Random(13)
    found += ["".join(chance.choice([*_SIGNS, *"abc. -:/\\"]) for _ in range(chance.randint(1, 90))) for _ in range(60)]
    return list(dict.fromkeys(found))


def faults(name: str) -> list[str]:
    """What Windows would not take of a name, or would take for something else; written from its documentation, not our code."""
    found = []
    if not name:
        found.append("empty")
    if len(name.encode("utf-16-le", "surrogatepass")) // 2 > 80:
        found.append("too long")
    if any(letter in '<>:"/\\|?*' or ord(letter) < 32 or ord(letter) == 127 for letter in name):
        found.append("a forbidden character")
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in name):
        found.append("half a character")
    if any(unicodedata.category(letter) in ("Cc", "Cf") for letter in name):
        found.append("a control or a change of direction")
    if name[-1:] in (".", " ", "\u3000", "\u00a0"):
        found.append("a dot or space at its end, which Windows drops")
    if name.split(".")[0].strip().upper() in _DEVICES:
        found.append("a device")
    if name in (".", "..") or name.startswith(("-", ".", " ", "~/")):
        found.append("a meaning of its own at its start")
    if unicodedata.normalize("NFC", name) != name:
        found.append("another spelling on a Mac")
    return found


def test_three_hundred_titles_become_names_that_windows_takes(tmp_path: Path) -> None:
    wanted = titles()
    assert len(wanted) >= 300
    taken: list[str] = []
    for title in wanted:
        name = safe_name(title)
        assert not faults(name), (title, name, faults(name))
        assert safe_name(name) == name, (title, name)
        own = free_name(name, taken)
        assert not faults(own), (title, own, faults(own))
        for stem in stem_names(title, ["Bass", title]):
            assert not faults(stem), (title, stem, faults(stem))
        folder = tmp_path / own
        folder.mkdir()
        assert folder.resolve().parent == tmp_path.resolve()
        taken.append(own)
    made = {entry.name for entry in tmp_path.iterdir()}
    assert len(made) == len(wanted) == len({name.casefold() for name in made})
    measured = f"{len(made)} of {len(wanted)} folders made, 0 outside, none changed by a second pass"
    Figure("R13", "titles as file names", "300 of 300 creatable, 0 escapes, idempotent", measured, holds=True).record()
