"""Splits what is said about a sound into clauses, and reads beside each word how it is meant: wanted or not, and how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from llm_music_gen.requests.text import Token
from llm_music_gen.requests.words import Hit, SoundWord, sound_words, table, vocabulary
from llm_music_gen.tools.plan import Call

_BORDERS = frozenset(
    ("and", "but", "then", "plus", "also", "while", "without", "because", "however", "before", "after", "followed")
)
#: How many words back a word still belongs to the one it stands before.
_REACH = 7


@dataclass(slots=True)
class Clause:
    """A stretch of the request with its words about sound."""

    tokens: list[Token]
    hits: list[Hit[SoundWord]] = field(default_factory=list)

    def numbers(self, *units: str) -> list[float]:
        """The numbers with one of these units, in order; "" for bare ones."""
        return [token.value for token in self.tokens if token.kind == "number" and token.unit in units]

    def number(self, *units: str) -> float | None:
        """The first of them."""
        return next(iter(self.numbers(*units)), None)

    def has(self, *words: str) -> bool:
        """Whether one of the words is said."""
        return any(token.text in words for token in self.tokens if token.kind == "word")

    def says(self, phrase: str) -> bool:
        """Whether a phrase of several words is said."""
        return f" {phrase} " in f" {' '.join(token.text for token in self.tokens)} "

    def files(self) -> list[str]:
        """The files named in it."""
        return [token.text for token in self.tokens if token.kind == "file"]

    def beside(self, unit: str, *words: str) -> float | None:
        """The number of a unit (or none) that stands beside one of the words: up to three tokens after, two before."""
        for place, token in enumerate(self.tokens):
            if token.text in words:
                before = self.tokens[place - 1] if place else token
                after = self.tokens[place + 1] if place + 1 < len(self.tokens) else token
                if before.kind == "number" and before.unit == unit and unit and (after.kind == "stop" or after is token):
                    return before.value  # "5 ms attack, 50 ms release"
                near = [*self.tokens[place + 1 : place + 4], *reversed(self.tokens[max(0, place - 2) : place])]
                for other in near:
                    if other.kind == "number" and other.unit in (unit, ""):
                        return other.value
        return None


@dataclass(frozen=True, slots=True)
class Meaning:
    """How one word in a clause is meant."""

    wanted: bool
    """False: it is to be left alone."""
    sign: int
    """+1 more of it, -1 less of it, 0 as it is."""
    degree: float
    """1 as usual; 0.5 a bit, 1.5 much, 2 extremely."""
    taken_away: bool = False
    """Altogether: "remove the reverb" rather than "less bass"."""
    enough: bool = False


@dataclass(slots=True)
class SoundReading:
    """What a request says about a sound."""

    calls: list[Call] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    strong: bool = False
    """Whether a word was among it that cannot describe music to be composed."""


def clauses(tokens: Sequence[Token]) -> list[Clause]:
    """The clauses of a request; one without a word about sound belongs to the one before."""
    pieces: list[list[Token]] = [[]]
    for index, token in enumerate(tokens):
        if token.kind == "stop" or (token.text in _BORDERS and not _binds(tokens, index)):
            pieces.append([])
        if token.kind != "stop":
            pieces[-1].append(token)
    out: list[Clause] = []
    for piece in pieces:
        if not piece:
            continue
        hits = _without_helpers(sound_words().find(piece))
        if not hits and out and not _stands_alone(piece):
            out[-1].tokens += piece
        elif out and not out[-1].hits and not _stands_alone(out[-1].tokens):
            out[-1].tokens += piece
            out[-1].hits = _without_helpers(sound_words().find(out[-1].tokens))
        else:
            out.append(Clause(piece, hits))
    return out


def _stands_alone(piece: Sequence[Token]) -> bool:
    """Whether a clause without a word about sound is still an order of its own: "boost 10k by 2 dB"."""
    verbs = {"boost", "cut", "raise", "lower", "reduce", "attenuate"}
    return any(token.unit in ("hz", "db") for token in piece) and any(token.text in verbs for token in piece)


def _binds(tokens: Sequence[Token], index: int) -> bool:
    """Whether a border word only joins two files or two numbers ("between 10 and 20 s")."""
    around = [tokens[place].kind for place in (index - 1, index + 1) if 0 <= place < len(tokens)]
    return tokens[index].text == "and" and ("file" in around or around == ["number", "number"] or around == ["clock", "clock"])


def _without_helpers(hits: list[Hit[SoundWord]]) -> list[Hit[SoundWord]]:
    proper = [hit for hit in hits if hit.text not in hit.value.helpers]
    return proper or hits


def meaning(clause: Clause, hit: Hit[SoundWord], inherited: int = 0) -> Meaning:
    """How a word is meant, from the words around it."""
    grammar = vocabulary("grammar")
    others = [other.end for other in clause.hits if other.end <= hit.start]
    begin = max([hit.start - _REACH, 0, *others])
    behind = [token.text for token in clause.tokens[begin : hit.start]]
    ahead = [token.text for token in clause.tokens[hit.end : hit.end + 4]]
    sign = next(
        (
            1 if word in grammar["more"] else -1
            for word in reversed(behind)
            if word not in ("so", "as") and (word in grammar["more"] or word in grammar["less"])
        ),
        0,
    )
    if sign == 0:
        sign = next((1 if word == "up" else -1 for word in ahead if word in ("up", "down", "out", "away", "off", "back")), 0)
        sign = 0 if sign == -1 and "back" in ahead else sign
    if sign == 0 and not behind[1:] and inherited and hit.value.kind == "wish" and not hit.text.endswith(("er", "y")):
        sign = inherited
    enough = "enough" in ahead
    negated = [word for word in behind if word in grammar["negators"]]
    wanted = not negated
    if negated and behind[-1:] in (["so"], ["as"], ["that"]):
        wanted, sign = True, -1
    elif (enough and negated) or (
        "not" in negated and {"sound", "feel", "seem"} & set(behind) and not {"too", "do", "make"} & set(behind)
    ):
        wanted, sign = True, 1
    elif "no" in negated and "more" in behind:
        sign = 0
    if hit.value.kind == "fault" and hit.value.call == "eq" and negated[-1:] == ["not"]:
        return Meaning(False, sign, 1.0)
    if hit.value.kind == "fault" and negated:
        wanted = not (
            {"keep", "leave", "preserve", "preserving", "retain", "protect", "except", "maintain", "keeping"} & set(negated)
        )
        wanted = wanted and not (
            "not" in negated and (set(behind) & {*grammar["remove"], "touch", "reduce", "cut", "change", "clean"})
        )
    taken = any(word in grammar["remove"] for word in behind) or (sign == -1 and "out" in ahead)
    degrees = table("grammar", "degrees").find(clause.tokens)
    alone = len(clause.hits) == 1
    near = [d for d in degrees if alone or begin <= d.start < hit.start or hit.end <= d.start <= hit.end + 2]
    return Meaning(wanted, sign, float(near[-1].value) if near else 1.0, taken, enough)
