"""R11: ABC that was made to hang, to fill the memory or to break the reader: a tune or a sentence, in bounded time and room."""

# ruff: noqa: E501 - lists of hostile texts are easier to read whole

from __future__ import annotations

import random
import sys
import time

from llm_music_gen.errors import NotationError
from llm_music_gen.notation.bars import check_bars
from llm_music_gen.notation.reader import read_abc
from tests.fuzzing import targets
from tests.reliability.damage import damaged
from tests.reliability.figures import Figure
from tests.reliability.scale import scaled
from tests.unit.notation.test_bars import HEAD, HOSTILE

_PIECES = (
    "A", "B2", "^c'/", "z4", "Z", "Z999999999", "x", "y", "|", "||", "|:", ":|", "::", "|]", "[1", "[2", "|1,3-5", "(3", "(5:4:6", "(9",
    "[CEG]", "[C", "]", '"Am"', '"', "{g}", "{", "!f!", "!", ">", ">>>", "<", "-", "&", "\\", "[K:D]", "[M:3/4]", "[L:1/1]", "[V:2]",
    "[I:x]", "\nV:3\n", "\nM:7/8\n", "\nK:F#mix\n", "\nL:1/16\n", "\nP:B\n", "\nQ:1e9\n", "\n%%ps\n", "\nw:la\n", "\n", "\0", "𝄞", "///",
    "999999999", "1/0", "\u202e", "(", ")", "$", "*", "~", "H",
)  # fmt: skip


def hand_made() -> list[str]:
    """A hundred texts, each of which once hurt some reader of ABC."""
    fields = (
        "M:0/4", "M:4/0", "M:-3/4", "M:99999/4", "M:4/3", "M:C|C|", "M:none", "M:1/4096", "L:1/0", "L:0", "L:0/8", "L:9999/1", "L:x",
        "L:1/-8", "Q:1e9", "Q:0", "Q:-4", "Q:1/0=3", "Q:99999999999", "Q:1/4=0.0001", "K:", "K:H", "K:none", "K:C exp", "K:^^^C",
        "K:" + "#" * 9_999, "X:" + "9" * 5_000, "T:" + "x" * 90_000, "T:\0", "P:" + "(AB)9" * 9_999, "V:" + "1" * 9_999, "U:m=!f!",
        "m:~n=n/", "I:abc-include /etc/passwd", "I:linebreak \\", "%%abc-include /etc/passwd", "%%ps (quit)", "%%beginps\n(quit)",
        "%%text " + "%" * 9_999, "%%MIDI program 999999999", "r:" + "(" * 9_999, "s:" + "*" * 9_999, "N:\x1b]0;x\x07",
    )  # fmt: skip
    return [
        *(HEAD + music for music in HOSTILE),
        *(f"X:1\n{field}\nK:C\nA8|B8|\n" for field in fields),
        "A" * 1_000_000, "|:" * 1_000_000, "\n" * 99_000, "\r" * 99_000, "X:1\n" * 20_000, "[K:C]" * 19_000, "(3" * 30_000 + "A",
        "[1A|" * 20_000, "A&" * 40_000, "A-|" * 30_000, "|:A|[1-999B:|" * 5_000, "A/" * 40_000, "[CEG" * 20_000, "'" * 99_000,
        "A" + "," * 99_000, "^" * 99_000 + "A", "A99999999/3|" * 3_000, "Z9|" * 30_000, "\ufeff" * 30_000, "é" * 90_000, "\ud800|A|",
        "V:1\n" + "A|" * 9_000 + "\nV:2\n" + "B|" * 9_000, "{" * 50_000 + "}" * 50_000, '"' + "x" * 99_000, "w:" + "-" * 99_000,
    ]  # fmt: skip


def composed(chance: random.Random) -> str:
    """Pieces of ABC in an order that nobody would write."""
    return HEAD + "".join(chance.choice(_PIECES) * chance.choice((1, 1, 1, 2, 30)) for _ in range(chance.randint(1, 120)))


def largest_bytes() -> int:
    """The most memory that this process ever had; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1_024)


def test_hostile_music_is_read_or_refused_in_bounded_time_and_room() -> None:
    chance = random.Random(11)
    made = hand_made()
    assert len(made) >= 100
    targets.abc(HEAD.encode() + b"A8|")  # what is imported at the first call is not counted
    before = largest_bytes()
    cases = [text.encode("utf-8", "surrogatepass") for text in made[:: scaled(1, 3)]]
    kept = sorted(path.read_bytes() for path in (targets.CORPUS / "abc").glob("*"))
    for number in range(scaled(5_000, 200)):
        data = composed(chance).encode()
        cases.append(damaged(chance.choice(kept) if kept and number % 2 else data, chance))
    slowest_s = 0.0
    for number, data in enumerate(cases):
        text = data.decode("utf-8", errors="replace")
        for read in (check_bars, read_abc):
            began_s = time.process_time()
            try:
                read(text)
            except NotationError as error:
                targets.check_sentence(error)
            slowest_s = max(slowest_s, time.process_time() - began_s)
        if number % 4 == 0:  # what is read can be written and read again
            targets.abc(data)
    grown = (largest_bytes() - before) / 2**20
    measured = f"{len(cases)} read or refused, at most {slowest_s:.2f} s and {grown:.0f} MB more"
    good = slowest_s <= 2.0 and grown <= 200
    Figure("R11", "hostile ABC", "a tune or a sentence within 2 s and 200 MB", measured, good).record()
