"""Writes random sentences of a GBNF grammar, so that tests need no llama.cpp."""

from __future__ import annotations

import random
import re

_TOKEN = re.compile(r'"((?:\\.|[^"\\])*)"|([a-zA-Z][a-zA-Z0-9-]*)|([()|?])')


def random_sentence(grammar: str, rng: random.Random) -> str:
    """A random sentence of `root`: every alternative of every choice is equally likely."""
    rules = dict(line.split(" ::= ", 1) for line in grammar.splitlines())
    return _alternatives(rules, [match.groups() for match in _TOKEN.finditer(rules["root"])], rng)


Token = tuple[str | None, ...]


def _alternatives(rules: dict[str, str], tokens: list[Token], rng: random.Random) -> str:
    choices: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token[2] or "", 0)
        if depth == 0 and token[2] == "|":
            choices.append([])
        else:
            choices[-1].append(token)
    return _sequence(rules, rng.choice(choices), rng)


def _sequence(rules: dict[str, str], tokens: list[Token], rng: random.Random) -> str:
    text, index = "", 0
    while index < len(tokens):
        literal, name, sign = tokens[index]
        end = index + 1
        if sign == "(":
            depth = 1
            while depth:
                depth += {"(": 1, ")": -1}.get(tokens[end][2] or "", 0)
                end += 1
        optional = end < len(tokens) and tokens[end][2] == "?"
        if not optional or rng.random() < 0.5:
            if literal is not None:
                text += literal.replace('\\"', '"')
            elif name is not None:
                text += _alternatives(rules, [match.groups() for match in _TOKEN.finditer(rules[name])], rng)
            else:
                text += _alternatives(rules, tokens[index + 1 : end - 1], rng)
        index = end + optional
    return text
