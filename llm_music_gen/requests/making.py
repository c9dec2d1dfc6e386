"""New music: from what is said to the arguments of `compose`."""

# ruff: noqa: E501 - patterns and lists of words are easier to read whole

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from llm_music_gen.requests.keys import key_named
from llm_music_gen.requests.situation import Situation
from llm_music_gen.requests.text import Token
from llm_music_gen.requests.words import (
    Hit,
    instrument_words,
    listed,
    sheet_of,
    style_words,
    table,
    vocabulary,
)  # fmt: skip

_TITLE = re.compile(
    r"\b(?:called|titled|entitled|named|title[: ]|with the title|name it|call it)\s*[\"']?([^\"',.;!?\n]{1,60})", re.IGNORECASE
)
_FOR_NAME = re.compile(
    r"\b(?:[Ff]or|[Tt]o|[Aa]bout) (?:my |our |the )?(?:[a-z]+(?:'s)? ){0,4}?([A-Z][a-zA-Z\u00c0-\u024f'-]+(?: [A-Z][a-z]+)?)"
)
_ABOUT = re.compile(
    r"\babout (?:the |a |an |my |our )?([\w' ]{2,40}?)(?=[,.;!?\n]|$| in | with | at | for | lasting | that | and )",
    re.IGNORECASE,
)
_LAST = re.compile(
    r"\b(?:like|as|similar to|from|based on|continue|variation (?:of|on)|version of|another of) (?:the |my |that |this )?(?:last|previous|latest|one before|same)(?: (?:one|song|track|piece|tune))?\b"
    r"|\bmore like (?:this|that|it)\b|\banother (?:one|song|track)? ?like (?:it|this|that)\b|\blike (?:this|that|it)\b(?= but| only| again|$|[,.!])|\bsame (?:again|song|thing|one|style|vibe)?\s?(?:again )?(?:but|only)\b"
    r"|\b(?:a )?(?:faster|slower|happier|sadder|longer|shorter) version of (?:it|the last|that|the song)\b|\bsame as (?:before|last time|the last|the previous)\b|\banother one\b|\bone more(?: like| of|$|,| but)",
    re.IGNORECASE,
)
_LIKE_SONG = re.compile(
    r"\b(?:like|based on|similar to|variation (?:of|on)|version of) [\"']([^\"'\n]{2,60})[\"']", re.IGNORECASE
)


@dataclass(slots=True)
class Making:
    """What was understood of a wish for music."""

    args: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_making(tokens: Sequence[Token], text: str, at: Situation) -> Making:
    """The arguments of `compose` that the words give."""
    out = Making()
    left_out = _left_out(tokens)
    barred = {index for _, start, end in left_out for index in range(start, end)}
    instruments, claimed = _instruments(tokens, barred, out)
    styles = style_list(tokens, barred, claimed)
    if not styles and (occasion := table("making_words", "occasions").find(tokens)):
        styles = [occasion[0].value]
    moods = [
        hit.text for hit in listed("making_words", "moods").find(tokens) if hit.start not in barred and hit.text not in styles
    ]
    count, length_s = song_count(tokens), length(tokens, text, each=True)
    meter = _meter(tokens)
    source = _source(text, at.songs)
    bpm, ratio = _tempo(tokens, styles, source)
    title = _title(text)
    for name, value in (
        ("style", styles), ("n", count), ("len_s", length_s), ("key", key_named(text)), ("bpm", bpm), ("meter", meter),
        ("instruments", instruments), ("no", [name for name, _, _ in left_out]), ("title", title),
        ("mood", ", ".join(dict.fromkeys(moods))), ("from", source), ("bpm_ratio", ratio),
    ):  # fmt: skip
        if value:
            out.args[name] = value
    for style in styles:
        nearest = vocabulary("making_words")["nearest_styles"].get(style)
        if nearest:
            out.notes.append(f"There is no sheet for {style}; {nearest} is the nearest.")
    return out


def style_list(tokens: Sequence[Token], barred: set[int] = frozenset(), claimed: set[int] = frozenset()) -> list[str]:  # type: ignore[assignment]
    """The styles that are named, each once; a noun such as "drone" right after another style adds none."""
    weak = set(vocabulary("making_words")["weak_styles"]["words"])
    found: list[str] = []
    last_end = -1
    for hit in style_words().find(tokens):
        taken = all(index in claimed for index in range(hit.start, hit.end)) and hit.value not in ("jazz trio",)
        if hit.start in barred or taken:
            continue
        before = tokens[hit.start - 1].text if hit.start else ""
        if before == "for" and found and hit.value in vocabulary("making_words")["purposes"]:
            continue  # what it is for: "ambient for yoga"
        noun_of_other = hit.value in weak and found and hit.start == last_end
        last_end = hit.end
        following = tokens[hit.end].text if hit.end < len(tokens) else ""
        canonical = _written(hit, following)
        if not noun_of_other and canonical not in found:
            found.append(canonical)
    strong = [style for style in found if style not in weak]
    spread = any(token.text in (",", "and", "mix", "&") for token in tokens)
    return strong if strong and not spread else found


def _written(hit: Hit[str], _following: str) -> str:
    sheet = sheet_of(hit.value)
    if sheet is not None and set(hit.value.split()) <= set(sheet.name.split()):
        return sheet.name
    return hit.value


def _left_out(tokens: Sequence[Token]) -> list[tuple[str, int, int]]:
    """What shall not be there: name, first token, one past the last."""
    out: list[tuple[str, int, int]] = []
    heard = {hit.start: hit for hit in instrument_words().find(tokens)}
    other = {hit.start: hit for hit in style_words().find(tokens)}
    reaching = -1
    for index, token in enumerate(tokens):
        if token.text in ("no", "without", "minus", "except", "not") or (token.text in ("any",) and reaching >= 0):
            reaching = index + 3
            continue
        if index > reaching:
            reaching = -1
        if reaching < 0:
            continue
        if token.text in ("vocals", "vocal", "singing", "voice", "voices", "lyrics", "words"):
            out.append(("vocals", index, index + 1))
        elif index in heard:
            out.append((heard[index].value if heard[index].value == "drums" else heard[index].text, index, heard[index].end))
        elif index in other:
            out.append((other[index].text, index, other[index].end))
        elif token.text not in ("and", "or", "nor", ",", "any", "too", "many", "much", "the"):
            reaching = -1
        if reaching > 0 and out:
            reaching = index + 2
    return list({name: (name, start, end) for name, start, end in out}.values())


def _instruments(tokens: Sequence[Token], barred: set[int], out: Making) -> tuple[list[str], set[int]]:
    names: list[str] = []
    claimed: set[int] = set()
    for band in table("making_words", "ensembles").find(tokens):
        names += [name for name in band.value if name not in names]
        claimed |= set(range(band.start, band.end)) if band.text != "jazz trio" else set()
    nearest = vocabulary("making_words")["nearest_instruments"]
    styles = {hit.start: hit for hit in style_words().find(tokens)}
    for hit in instrument_words().find(tokens):
        style = styles.get(hit.start)
        inside = style is not None and style.end > hit.end
        inside |= any(other.start < hit.start < other.end for other in styles.values())
        if hit.start in barred or (inside and hit.text != "piano") or hit.text == "beats":
            continue
        claimed |= set(range(hit.start, hit.end)) if hit.end - hit.start > 0 else set()
        name = hit.value
        if name not in names:
            names.append(name)
        if hit.text in nearest and hit.text.rstrip("s") not in name:
            out.notes.append(f"General MIDI has no {hit.text}; {name} is the nearest.")
    return names, claimed


_COUNTED = frozenset(
    (
        "song",
        "songs",
        "track",
        "tracks",
        "piece",
        "pieces",
        "tune",
        "tunes",
        "version",
        "versions",
        "more",
        "beats",
        "melodies",
        "loops",
        "jingles",
        "different",
        "lullabies",
        "waltzes",
        "variations",
        "ideas",
        "of",
        "jigs",
        "reels",
        "minuets",
        "cues",
        "ringtones",
        "compositions",
        "arrangements",
        "anthems",
        "ballads",
        "nocturnes",
        "preludes",
        "etudes",
        "drafts",
        "instrumental",
        "albums",
        "new",
        "short",
        "long",
        "instrumentals",
    )
)


def song_count(tokens: Sequence[Token]) -> int | None:
    """How many songs are wanted."""
    styles = {index for hit in style_words().find(tokens) for index in range(hit.start, hit.end)}
    moods = {index for hit in listed("making_words", "moods").find(tokens) for index in range(hit.start, hit.end)}
    for index, token in enumerate(tokens):
        if token.kind != "number" or token.unit or not 1 <= token.value <= 1000 or token.value != int(token.value):
            continue
        ahead = index + 1
        while ahead < len(tokens) and (
            ahead in styles
            or ahead in moods
            or tokens[ahead].text in ("-", "different", "new", "short", "long", "and", "slow", "fast", "quick")
        ):
            if tokens[ahead].text in _COUNTED and tokens[ahead].text not in ("different", "new", "short", "long"):
                break
            ahead += 1
        said = tokens[ahead].text if ahead < len(tokens) else ""
        if said in _COUNTED and said != "of":
            return int(token.value)
        before = tokens[index - 1].text if index else ""
        if before in ("x", "songs", "count", "generate", "make") and said not in ("minute", "hour", "bars"):
            return int(token.value)
    return None


def length(tokens: Sequence[Token], text: str, *, each: bool = False) -> float | None:
    """Seconds; a range gives its middle, "overnight" and "all night" eight hours where nothing else is said."""
    lengths = [
        (index, token)
        for index, token in enumerate(tokens)
        if token.kind == "clock" or (token.kind == "number" and token.unit == "s" and token.value > 0)
    ]
    whole = [(i, t) for i, t in lengths if not is_part_of_track(tokens, i)]
    lengths = whole or [
        (i, t) for i, t in lengths if each and {"each", "apiece", "per"} & {o.text for o in tokens[i + 1 : i + 2]}
    ]
    if len(lengths) >= 2:
        between = [token.text for token in tokens[lengths[0][0] + 1 : lengths[1][0]]]
        if between in ([], ["to"], ["or"], ["and"]):
            return (lengths[0][1].value + lengths[1][1].value) / 2
    total = [
        t for i, t in lengths if {"total", "altogether", "overall", "together"} & {o.text for o in tokens[max(0, i - 2) : i + 3]}
    ]
    if total or lengths:
        return (total or [lengths[0][1]])[-1].value
    bare = re.search(
        r"\b(?:length|long|lasting|duration)[:= ]+(?:of |about |is )?(\d{1,3})(?:\s?-\s?(\d{1,3}))?\b(?!\s?(?:hz|bpm|db|%))",
        text,
        re.IGNORECASE,
    )
    bare = bare or re.search(r"(?<![\d/:.-])\b(\d{1,2})\s?-\s?(\d{1,2})\b(?!\s?(?:\w*hz|bpm|db|%|/))(?=\s*$|,)", text)
    if bare:
        low = float(bare[1]) * 60
        return (low + float(bare[2]) * 60) / 2 if bare[2] else low
    return 28_800.0 if re.search(r"\b(?:all night|whole night|entire night|full night)\b", text, re.IGNORECASE) else None


def is_part_of_track(tokens: Sequence[Token], index: int) -> bool:
    """Whether a length is one of a fade, a step or an opening stretch rather than of the whole."""
    ahead = tokens[index + 1].text if index + 1 < len(tokens) else ""
    begin = max(
        (i + 1 for i in range(max(0, index - 4), index) if tokens[i].kind in ("stop", "number")), default=max(0, index - 4)
    )
    behind = [token.text for token in tokens[begin:index]]
    return (
        ahead in ("each", "apiece", "per", "crossfade", "fadeout", "fadein", "steps", "intro")
        or (ahead in ("fade", "fades") and not any(token.kind == "number" for token in tokens[index + 2 : index + 5]))
        or behind[-1:] in (["each"], ["every"], ["per"])
        or behind[-2:] == ["each", "for"]
        or (bool({"first", "last", "final", "opening", "over", "within"} & set(behind[-3:])) and "song" not in behind)
        or (bool({"fade", "fading", "fades"} & set(behind)) and not {"long", "music"} & set(behind))
    )


def _meter(tokens: Sequence[Token]) -> str:
    for token in tokens:
        if token.kind == "ratio" and "/" in token.text:
            top, bottom = (int(part) for part in token.text.replace(" ", "").split("/"))
            if 1 <= top <= 16 and bottom in (2, 4, 8, 16):
                return f"{top}/{bottom}"
    hits = table("making_words", "meters").find(tokens)
    return hits[0].value if hits else ""


def _source(text: str, songs: Sequence[str]) -> str:
    named = _LIKE_SONG.search(text)
    if named:
        return named[1]
    known = next(
        (name for name in songs if re.search(rf"\b(?:like|to|on|of|from|as) {re.escape(name)}\b", text, re.IGNORECASE)), ""
    )
    if known:
        return known
    return "last" if _LAST.search(text) else ""


def _tempo(tokens: Sequence[Token], styles: Sequence[str], source: str) -> tuple[float | None, float | None]:
    """(bpm, ratio to the song it is made from)."""
    words = [token.text for token in tokens]
    bpms = [token.value for token in tokens if token.kind == "number" and token.unit == "bpm"]
    for index, token in enumerate(tokens):
        near = {*words[max(0, index - 2) : index], *words[index + 1 : index + 2]}
        if (
            token.kind == "number"
            and not token.unit
            and 30 <= token.value <= 300
            and near & {"bpm", "tempo", "at"}
            and not near & {"hz"}
        ):
            bpms.append(token.value)
    count = song_count(tokens)
    if not bpms and styles and not source:  # "drum and bass, 174"
        bare = [
            t.value
            for i, t in enumerate(tokens)
            if t.kind == "number"
            and not t.unit
            and 60 <= t.value <= 220
            and (i + 1 == len(tokens) or tokens[i + 1].kind == "stop")
        ]
        bpms = [value for value in bare if value != count][:1]
    if bpms:
        return (sum(bpms[:2]) / len(bpms[:2]) if len(bpms) > 1 else bpms[0]), None
    if source:
        percent = next((token.value for token in tokens if token.unit == "percent"), None)
        slower = bool({"slower", "slow", "slowed"} & set(words))
        if slower or {"faster", "quicker", "fast", "upbeat", "energetic"} & set(words):
            if "twice" in words or "double" in words:
                return None, 0.5 if slower else 2.0
            degrees = table("grammar", "degrees").find(tokens)
            step = percent / 100 if percent else 0.15 * (float(degrees[0].value) if degrees else 1.0)
            return None, round(1 - step if slower else 1 + step, 3)
        return None, None
    speeds = table("making_words", "speeds").find(tokens)
    if not speeds:
        return None, None
    sheet = sheet_of(styles[0]) if styles else None
    speed = speeds[0].value
    if sheet is None:
        return float(speed["bpm"]), None
    low, high = sheet.tempo_min_bpm, sheet.tempo_max_bpm
    return round(low + speed["place"] * (high - low), 1), None


def _title(text: str) -> str:
    given = _TITLE.search(text)
    if given:
        return re.split(r"\s+(?:in|with|at|for|lasting|about)\s+", given[1].strip())[0].strip(" \"'")
    person = _FOR_NAME.search(text)
    if person and person[1].split()[0].lower() not in _NOT_NAMES:
        noun = next(
            (
                n
                for n in ("lullaby", "waltz", "anthem", "march", "ballad", "jingle", "birthday song", "serenade")
                if n in text.lower()
            ),
            "song",
        )
        return f"{noun.capitalize()} for {person[1]}"
    about = _ABOUT.search(text)
    if about and about[1].lower() not in ("it", "this", "that", "5", "10"):
        topic = re.sub(r"\d.*$", "", about[1]).strip()
        return topic.capitalize() if topic and not topic[0].isdigit() and "minute" not in about[1] else ""
    return ""


_NOT_NAMES = frozenset((
    "youtube", "spotify", "tiktok", "instagram", "christmas", "halloween", "easter", "the", "my", "a", "d", "c", "e", "f", "g", "b", "i",
    "hz", "bpm", "cd", "tv", "monday", "friday", "sunday", "saturday", "minor", "major", "lo", "jazz", "chill", "irish", "edm", "abc", "midi",
))  # fmt: skip
