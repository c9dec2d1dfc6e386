"""From a sentence about a song to edit operations: "make the second part calmer, and end in major". No model is asked.

What can be done is done exactly; what cannot is said in one sentence with the nearest thing that can. Any text gives a plan.
"""

# ruff: noqa: E501 - patterns are easier to read whole

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from llm_music_gen.domain.edit import (
    Cut,
    Dynamics,
    Operation,
    Repeat,
    Restyle,
    Rewrite,
    SetEnergy,
    SetMode,
    SetTitle,
)
from llm_music_gen.domain.theme import Theme
from llm_music_gen.requests.editing_music import (
    STRAIGHT_PERCENT,
    Found,
    Reading,
    key_changes,
    meter_changes,
    swing_changes,
    tempo_changes,
)
from llm_music_gen.requests.editing_parts import Band, parts_named, with_lists
from llm_music_gen.requests.editing_places import Place, one_range, place_of, sections_line, spans_of
from llm_music_gen.requests.text import Token
from llm_music_gen.requests.words import sheet_of, style_words, vocabulary

MOST_CHARACTERS = 2_000
_LOUDER_DB = 3.0
_POLITE = re.compile(r"\b(?:please|thanks?|thank you|ok(?:ay)?|now|just|so|hey|hi|hello|it|this|the song|make|be|sound|a)\b")
_QUOTED = re.compile(r"[\"“”„]([^\"“”„\n]{1,200})[\"“”„]")


@dataclass(frozen=True, slots=True)
class EditPlan:
    """What was understood of a request."""

    operations: tuple[Operation, ...]
    remarks: tuple[str, ...] = ()
    """One sentence for each wish that cannot be met, with what can be done instead."""


def plan_edit(request: str, theme: Theme, band: Band, swing: float = STRAIGHT_PERCENT) -> EditPlan:
    """What a request means for a song with this theme and band; `swing` is the place of its off-beats in percent.

    Never raises: what is not understood is a remark.
    """
    text = " ".join("".join(char if char.isprintable() else " " for char in request[:MOST_CHARACTERS]).split())
    reading = Reading(theme, band, swing)
    quoted = _QUOTED.search(text)
    if quoted and re.search(r"\b(call|title|name|rename|titled)\b", text.lower()):
        reading.operations.append(SetTitle(quoted[1].strip()[:120] or "Untitled"))
        text = text[: quoted.start()] + text[quoted.end() :]
        text = re.sub(r"\b(?:and )?(?:call|rename|title|name)\b(?: it| this| the song| to| as)*", " ", text, flags=re.IGNORECASE)
    waiting = ""
    for clause, joined in _clauses(with_lists(text)):
        whole = f"{waiting} {clause}".strip() if waiting else clause
        before = len(reading.operations) + len(reading.remarks)
        _read(whole, reading, inherits=joined)
        understood = len(reading.operations) + len(reading.remarks) > before
        waiting = "" if understood else whole
    left = _POLITE.sub(" ", waiting.lower()).strip(" .!?,:-")
    if left:
        reading.remarks.append(_not_understood(waiting.strip(" .!?,"), theme))
    if not reading.operations and not reading.remarks:
        reading.remarks.append("Say what shall be different, for example: make the second part calmer.")
    return EditPlan(tuple(dict.fromkeys(reading.operations)), tuple(dict.fromkeys(reading.remarks)))


def _clauses(text: str) -> Iterator[tuple[str, bool]]:
    """(clause, whether it goes on where the one before was): divided at stops, commas, "then", "and"."""
    pieces = re.split(
        r"(\s*[;,!?\n]\s*(?:and |but |then |also )*|\.(?=\s|$)\s*|\s+(?:and then|then|but|and also|and|&)\s+)", text
    )
    joined = False
    for place in range(0, len(pieces), 2):
        if pieces[place].strip():
            yield pieces[place].strip(), joined
        if place + 1 < len(pieces):
            joined = pieces[place + 1].strip() in ("and", "&", "and also")


def _read(text: str, reading: Reading, *, inherits: bool) -> None:
    """Add what one clause asks for."""
    clause = " ".join(word if re.fullmatch(r"[A-G][#b♯♭]?m?", word) else word.lower() for word in text.split())
    clause = re.sub(r"^(?:please|can you|could you|i want you to|i would like to|i'd like|let's|let us|now) ", "", clause)
    place = place_of(clause, reading.theme)
    if place.complaint:
        reading.remarks.append(place.complaint)
        return
    spans = place.spans if place.named else reading.spans if inherits else ()
    found = list(_operations(place, spans, reading))
    if place.named and found:
        reading.spans = place.spans
    elif not inherits and found:
        reading.spans = ()
    reading.operations += [step for step in found if not isinstance(step, str)]
    reading.remarks += [remark for remark in found if isinstance(remark, str)]


def _operations(place: Place, spans: tuple[tuple[int, int], ...], reading: Reading) -> Found:
    """The first kind of change that the clause asks for; tempo and key may stand beside others."""
    for kind in (
        _unable,
        _rewriting,
        _form,
        _moods,
        key_changes,
        meter_changes,
        tempo_changes,
        swing_changes,
        _instruments,
        _dynamics,
        _energy,
        _style,
    ):
        found = list(kind(place, spans, reading))
        if found:
            yield from found
            return


def _unable(place: Place, spans: Sequence[tuple[int, int]], reading: Reading) -> Found:
    text = place.rest
    if re.search(r"\b(?:lyrics?|sing|singer|vocals?|rap|words)\b", text):
        yield 'Songs have no voice that sings words; a choir or voice can play the melody: say "melody on choir".'
    elif re.search(
        r"\b(?:fade|reverb|echo|delay|eq|equali[sz]|distort|compress|hiss|noise|pan|stereo|mono|warmer|crisper|muffled)\b", text
    ):
        yield 'That is a matter of the sound, not of the notes: "llm-music-gen process FILE" changes it.'
    elif (
        re.search(r"\b(?:slow(?:s|ing)? down|speed(?:s|ing)? up|ritard\w*|accelerand\w*|rubato)\b", text)
        and place.named
        and spans
    ):
        yield "Songs keep one tempo from beginning to end; the whole song can be slower, or that part calmer."
    elif re.search(r"^(?:undo|take (?:it|that) back|revert|go back)\b", text):
        yield 'The version before comes back with "llm-music-gen edit SONG --undo".'
    elif re.search(r"\b\d+(?:\.\d+)? (?:minutes?|seconds?|hours?|mins?|secs?)\b", text):
        yield 'A song is not stretched to a length; repeat or remove a part of it, or make another with "like SONG --length".'


def _rewriting(place: Place, spans: Sequence[tuple[int, int]], reading: Reading) -> Found:
    words = vocabulary("editing_words")["rewrite"]
    nouns, adjectives = "|".join(words["nouns"]), "|".join(sorted(words["adjectives"], key=len, reverse=True))
    match = re.search(rf"\b((?:(?:{adjectives})(?:,? )?)+)(?:{nouns})\b", place.rest)
    after = re.search(rf"\b(?:{nouns})s? (?:be |is |are |sound |to be )?(?:much |a bit |a little )?({adjectives})\b", place.rest)
    verb = re.search(rf"\b(?:{'|'.join(words['verbs'])})\b", place.rest)
    if match is None and verb is None and after is None:
        return
    wish = match[1].strip() if match else after[1] if after else ""
    wish = "" if wish in ("new", "another", "different", "fresh", "other") else wish
    for bars in spans or spans_of(reading.theme):
        for section in _whole_sections(bars, reading.theme):
            yield Rewrite(section, wish)


def _whole_sections(bars: tuple[int, int], theme: Theme) -> list[tuple[int, int]]:
    """The sections of which at least half is meant; the one that holds the bars where there is none."""
    known = spans_of(theme)
    mostly = [span for span in known if 2 * (min(span[1], bars[1]) - max(span[0], bars[0])) >= span[1] - span[0]]
    return mostly or [span for span in known if span[0] <= bars[0] < span[1]]


def _form(place: Place, spans: Sequence[tuple[int, int]], reading: Reading) -> Found:
    """Repeat, leave out, shorten, lengthen: only of a place that this clause names."""
    text, theme, words = place.rest, reading.theme, vocabulary("editing_words")["verbs"]
    if not place.named or not spans:
        if re.search(
            r"\b(?:song|track|piece|it)\b.*\b(?:shorter|longer)\b|^(?:shorter|longer)$|\b(?:shorten|extend|lengthen) (?:it|the song)\b",
            text,
        ):
            yield f"Say which part: repeat or remove one of {sections_line(theme)}."
        return
    last_bar = theme.bars - 1
    if re.search(rf"\b(?:{'|'.join(words['shorter'])})\b", text):
        for first, stop in spans:
            # The last bar leads on to what follows; what goes is before it.
            gone = (stop - first) // 2
            if not gone:
                yield "A part of one bar cannot be shorter; it can be removed."
            else:
                yield Cut((stop - 1 - gone, stop - 1))
    elif re.search(
        rf"\b(?:{'|'.join(words['longer'])})\b|\btwice\b|\btwo times\b|\bdouble\b|\brepeat\w*|\bduplicate\b|\bonce more\b|\b(?:play|hear|have)\b.*\bagain\b|^again\b|\b(?:three|3|four|4) times\b",
        text,
    ) and not re.search(r"\b(?:twice|double) (?:as (?:fast|loud|slow)|the (?:tempo|speed))\b", text):
        times = 3 if re.search(r"\b(?:four|4) times\b", text) else 2 if re.search(r"\b(?:three|3) times\b", text) else 1
        for first, stop in spans[:1] if re.search(r"\ball\b", text) is None and len(spans) > 1 and "every" not in text else spans:
            if stop == theme.bars and stop - first == 1:
                yield "The last bar ends the song and cannot be repeated alone; name more bars."
            else:
                yield Repeat((first, stop), times)
    elif _asks_to_remove(text, bare=True):
        for first, stop in spans:
            if stop - first >= theme.bars:
                yield "Nothing would remain of the song; remove a part of it."
            elif (first, stop) == (last_bar, theme.bars):
                yield "The last bar ends the song and stays; the bars before it can be removed."
            else:
                yield Cut((first, min(stop, last_bar)))


def _asks_to_remove(text: str, *, bare: bool) -> bool:
    """Whether a clause without its place wants that gone; `bare`: nothing but the place stood beside the verb."""
    verbs = sorted(vocabulary("editing_words")["verbs"]["remove"], key=len, reverse=True)
    found = re.search(rf"\b(?:{'|'.join(verbs)})\b", text)
    if not bare:
        return found is not None
    left = re.sub(rf"\b(?:{'|'.join(verbs)}|out|the|please|song|of|it|away|whole|entirely|completely|from)\b", " ", text)
    return found is not None and not left.strip(" .!?,")


def _moods(place: Place, spans: Sequence[tuple[int, int]], reading: Reading) -> Found:
    for mode, words in vocabulary("editing_words")["moods"].items():
        if re.search(rf"\b(?:{'|'.join(words)})\b", place.rest):
            if reading.theme.key.is_minor == (mode == "minor"):
                yield f"It is in {mode} already; it can be {'slower or calmer' if mode == 'minor' else 'faster or bigger'}."
                return
            for bars in one_range(spans):
                yield SetMode(mode, bars)
            return


def _instruments(place: Place, spans: Sequence[tuple[int, int]], reading: Reading) -> Found:
    """Swap, add, remove parts."""
    text, band = place.rest, reading.band
    named = parts_named(text)
    if not named:
        return
    verbs = vocabulary("editing_words")["verbs"]
    first = named[0]
    before, after = text[: first.start], text[named[-1].stop :]
    removes = _asks_to_remove(before, bare=False) or re.search(rf"\b(?:{'|'.join(verbs['remove_after'])})\b", after)
    back = re.search(rf"\b(?:{'|'.join(sorted(verbs['add_after'], key=len, reverse=True))})\b", text)
    level = re.search(r"\b(?:louder|softer|quieter|up|down|loud|soft|volume|\d+ ?db)\b", text)
    instead = re.search(r"\binstead of\b|\brather than\b|\bin place of\b", text)
    if len(named) >= 2 and instead:
        new, old = (named[0], named[1]) if named[0].stop <= instead.start() else (named[1], named[0])
        yield from band.swapped(old, new, spans)
    elif (
        len(named) >= 2
        and re.search(r"\b(?:on|by|with|for|to|into|as|use|a|an|play\w*|be)\b", text[first.start :] + before)
        and (
            re.search(rf"\b(?:{'|'.join(verbs['swap'])})\b", before)
            or first.role
            or re.search(r"\b(?:on|for|play\w*|by)\b", text[first.stop : named[1].start])
        )
        and not removes
    ):
        old, new = (first, named[1]) if not (named[1].role and not first.role) else (named[1], first)
        yield from band.swapped(old, new, spans)
    elif removes and not back and not re.search(r"\bless\b", before):
        for part in named:
            yield from band.removed(part, spans)
    elif re.search(r"\b(?:come|comes|enter|enters|start|starts|begin|begins)\b.*\blater\b|\blater\b", after):
        for part in named:
            yield from band.removed(part, spans_of(reading.theme)[:1])
    elif level and not back:
        return
    elif (
        re.search(rf"\b(?:{'|'.join(sorted(verbs['add'], key=len, reverse=True))})\b", before)
        or back
        or not before.strip(" athe")
    ):
        for part in named:
            yield from band.added(part, spans)


def _dynamics(place: Place, spans: Sequence[tuple[int, int]], reading: Reading) -> Found:
    text = place.rest
    match = re.search(r"\b(louder|softer|quieter|turn up|turn down|loud|soft|quiet|up|down|less|more)\b", text)
    db = re.search(r"([-+]?\d{1,2}(?:\.\d)?) ?(?:db|decibels?)\b", text)
    named = parts_named(text)
    if match is None and db is None:
        return
    if not named and match is not None and match[1] in ("up", "down", "less", "more"):
        return
    amount = abs(float(db[1])) if db else _LOUDER_DB * _much(text)
    softer = bool(match and match[1] in ("softer", "quieter", "soft", "quiet", "turn down", "down", "less")) or bool(
        db and db[1][0] == "-"
    )
    amount = min(12.0, amount) * (-1 if softer else 1)
    if named:
        roles = [role for part in named for role in reading.band.roles_of(part)]
        missing = [part for part in named if not reading.band.roles_of(part)]
        if missing:
            yield reading.band.missing(missing[0])
        if roles:
            for bars in one_range(spans):
                yield Dynamics(amount, tuple(dict.fromkeys(roles)), bars)
    elif spans:
        for bars in one_range(spans):
            yield Dynamics(amount, (), bars)
    elif not re.search(r"\b(?:quieter|softer|louder)\b", text) or db or re.search(r"\bvolume\b", text):
        return
    else:
        yield 'Every song is brought to the same loudness (setting "loudness_lufs"); a part or a section can be louder or softer.'


def _energy(place: Place, spans: Sequence[tuple[int, int]], reading: Reading) -> Found:
    words: Mapping[str, int] = vocabulary("editing_words")["energy"]
    found = re.search(rf"\b(?:{'|'.join(sorted(map(re.escape, words), key=len, reverse=True))})\b", place.rest)
    if found is None:
        return
    less = re.search(r"\b(?:less|not so|not as)\b", place.rest[: found.start()])
    steps = words[found[0]] * (-1 if less else 1) * (2 if _much(place.rest) > 1 else 1)
    for bars in one_range(spans):
        yield SetEnergy(steps, bars)


def _style(place: Place, spans: Sequence[tuple[int, int]], reading: Reading) -> Found:
    texts = [text.lower() for text in re.findall(r"[\w&]+", place.rest.replace("-", " "))]
    hits = style_words().find([Token(_as_style(text), "word", 0) for text in texts])
    names = [sheet.name for hit in hits if (sheet := sheet_of(hit.value)) is not None]
    if not names:
        return
    for bars in one_range(spans):
        yield Restyle(tuple(dict.fromkeys(names))[:3], "", bars)


def _as_style(word: str) -> str:
    """ "jazzy" is jazz."""
    stem = word[:-1] if len(word) > 4 and word.endswith("y") else word
    return stem if sheet_of(stem) is not None and sheet_of(word) is None else word


def _much(text: str) -> float:
    words = vocabulary("editing_words")["amounts"]
    for name, factor in (("little", 0.5), ("much", 2.0)):
        if any(re.search(rf"\b{re.escape(word)}\b", text) for word in words[name]):
            return factor
    return 1.0


def _not_understood(clause: str, theme: Theme) -> str:
    short = clause if len(clause) <= 60 else f"{clause[:57]}..."
    return (
        f'"{short}" is not understood. What can be changed: key, tempo, metre, instruments, swing, style, title, the tune, calmer or '
        f"bigger, parts repeated or removed. The parts are: {sections_line(theme)}."
    )
