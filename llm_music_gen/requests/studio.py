"""Questions, the studio's own doings, and what cannot be done: rules from studio_words.toml become calls."""

# ruff: noqa: E501 - patterns and lists of words are easier to read whole

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from llm_music_gen.requests.situation import Situation
from llm_music_gen.requests.sounds import named_files
from llm_music_gen.requests.text import Token
from llm_music_gen.requests.words import Phrases, vocabulary, words_of
from llm_music_gen.tools.plan import Call

#: How many words may stand between the groups of a rule.
_NEAR = 9


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of studio_words.toml."""

    entry: dict[str, Any]
    words: Phrases[bool]
    groups: tuple[Phrases[bool], ...]
    unless: Phrases[bool]

    def holds(self, tokens: Sequence[Token]) -> bool:
        """Whether it speaks of these tokens."""
        if self.unless.find(tokens):
            return False
        if self.words.find(tokens):
            return True
        if not self.groups:
            return False
        starts = [(hit.start, hit.end) for hit in self.groups[0].find(tokens)]
        for group in self.groups[1:]:
            found = group.find(tokens)
            starts = [(hit.start, hit.end) for hit in found if any(end <= hit.start <= end + _NEAR for _, end in starts)]
        return bool(starts)


@lru_cache(maxsize=2)
def rules(kind: str) -> tuple[Rule, ...]:
    """The rules of one kind: refusal or command."""

    def phrases(words: Sequence[str]) -> Phrases[bool]:
        return Phrases((word, True) for word in words)

    return tuple(
        Rule(
            entry,
            phrases(entry.get("words", ())),
            tuple(phrases(group) for group in entry.get("all", ())),
            phrases(entry.get("unless", ())),
        )
        for entry in vocabulary("studio_words")[kind]
    )


def refusal(tokens: Sequence[Token]) -> tuple[Call, str] | None:
    """What cannot be done, with what is said about it."""
    for rule in rules("refusal"):
        if rule.holds(tokens):
            return Call("refuse", {"reason": rule.entry["reason"], "offer": rule.entry["offer"]}), rule.entry["reply"]
    return None


def command(tokens: Sequence[Token], text: str, at: Situation) -> tuple[Call, str] | None:
    """One of the studio's own doings."""
    for rule in rules("command"):
        if rule.holds(tokens) and not (rule.entry.get("needs_abc") and not _abc_of(tokens, text)):
            call = Call(rule.entry["call"], dict(rule.entry.get("args", {})))
            _fill(call, rule.entry, tokens, text, at)
            return call, rule.entry["reply"]
    return None


def _fill(call: Call, entry: dict[str, Any], tokens: Sequence[Token], text: str, at: Situation) -> None:
    words = {token.text for token in tokens}
    numbers = [
        round(token.value)
        for token in tokens
        if token.kind == "number" and token.unit in ("", "times") and 0 < token.value < 1000
    ]
    what = entry.get("fill", "")
    if what == "song" and entry.get("field"):
        name = song_named(tokens, text, at)
        call.args[entry["field"]] = name or call.args.get(entry["field"], "last")
    elif what == "files":
        files = named_files(tokens, text, at)
        if files:
            call.args["files"] = files
    elif what == "visual":
        call.args["visual"] = "black" if "black" in words else "file" if any(t.kind == "file" for t in tokens) else "cover"
        if words & {"mp4", "video"} and "black" not in words:
            call.args["only"] = "video"
    elif what == "steps":
        everything = words & {"everything", "all", "original", "untouched"}
        call.args["steps"] = 100 if everything else numbers[0] if numbers else 2 if "twice" in words else 1
    elif what == "edit":
        call.args.update({"song": song_named(tokens, text, at) or "last", "request": text.strip()[:500]})
    elif what == "abc":
        call.args["abc"] = _abc_of(tokens, text)
    elif what == "speech":
        call.args.update(_speech(tokens, text))
    elif what == "setting":
        call.args.update(_setting(tokens, text))
    elif what == "library":
        call.args.update(_library(tokens, words, text, at))
    elif what == "job":
        action = next((name for name, said in _JOB_WORDS.items() if words & said), "status")
        call.args["action"] = action
        if numbers:
            call.args["id"] = str(numbers[0])


_JOB_WORDS = {
    "cancel": {"cancel", "abort", "kill", "stop"}, "pause": {"pause", "hold"},
    "resume": {"resume", "continue", "retry", "restart"},
}  # fmt: skip


def _abc_of(tokens: Sequence[Token], text: str) -> str:
    """Notation within the request, or the name of an ABC file."""
    inline = re.search(r"\bX:\s*\d.*", text, re.DOTALL)
    named = next((token.text for token in tokens if token.kind == "file" and token.text.lower().endswith(".abc")), "")
    notes = re.search(r"\|?\s*(?:[_^=]?[A-Ga-g][,']*\d*/?\d*\s*){3,}\|.*", text)
    return inline[0] if inline else named or (notes[0].strip() if notes else "")


def _speech(tokens: Sequence[Token], text: str) -> dict[str, Any]:
    quoted = next((token.text for token in tokens if token.kind == "quoted"), "")
    voice = re.search(
        r"\b(?:with|in|using) (?:a |an |the )?([\w ]{2,24}?) voice\b|\bvoice (?:called |named )?(\w{2,24})\b", text, re.IGNORECASE
    )
    after = re.search(
        r"\b(?:say|speak|announce|narrate|pronounce|aloud|read out|out loud)\b[:,]?\s*(?:the words|this|the text)?[:,]?\s*(.+)",
        text,
        re.IGNORECASE,
    )
    spoken = quoted or (re.sub(r"\s+(?:with|in|using) (?:a |an |the )?[\w ]{2,24} voice\b.*", "", after[1]) if after else "")
    named_file = next((token.text for token in tokens if token.kind == "file"), "")
    out = {"text": (spoken or named_file or text).strip(" .\"'")[:2000]}
    return out | ({"voice": (voice[1] or voice[2]).strip()} if voice else {})


def _setting(tokens: Sequence[Token], text: str) -> dict[str, Any]:
    match = re.search(
        r"\b(?:set|change|switch|use|make|remember that|always use)\s+(?:the |my )?(?:default )?([\w .-]{2,40}?)\s*(?:to|=|is|as)\s+(?:the )?(?:default )?[\"']?([\w .:\\/-]{1,80})",
        text, re.IGNORECASE,
    )  # fmt: skip
    quoted = next((token.text for token in tokens if token.kind in ("quoted", "file")), "")
    saved = re.search(
        r"\balways (?:save|export|render|write|make)\b.{0,20}?\b(?:as|in|to) (mp3|wav|flac|opus)\b", text, re.IGNORECASE
    )
    if saved:
        return {"key": "formats", "value": saved[1].lower()}
    if match:
        value = re.sub(r"^(\d+(?:\.\d+)?) ?(?:%|percent|lufs|hz)$", r"\1", quoted or match[2].strip(), flags=re.IGNORECASE)
        return {"key": match[1].strip().lower().replace(" ", "_"), "value": value}
    return {"key": "", "value": quoted or text.strip()[:200]}


def _library(tokens: Sequence[Token], words: set[str], text: str, at: Situation) -> dict[str, Any]:
    action = "list"
    for name, said in (("restore", {"restore", "undelete", "bring", "recover", "retrieve", "rescue", "back"}), ("remove", {"delete", "remove", "throw", "erase"}), ("rename", {"rename"}), ("rescan", {"rescan"}),
                       ("like", {"mark", "rate", "star", "thumbs", "love", "put", "add"}), ("find", {"find", "search"})):  # fmt: skip
        if words & said:
            action = name
            break
    song = song_named(tokens, text, at) or ("last" if action in ("remove", "rename", "like") else "")
    return {"action": action} | ({"songs": [song]} if song else {})


def song_named(tokens: Sequence[Token], text: str, at: Situation) -> str:
    """The song that is meant: by name in quotes or after "song", "last", or ""."""
    quoted = next((token.text for token in tokens if token.kind == "quoted"), "")
    if quoted:
        return quoted
    low = text.lower()
    known = next((name for name in reversed(at.songs) if len(name) > 2 and name.lower() in low), "")
    if known:
        return known
    if re.search(
        r"\b(?:last|latest|previous|newest|recent|current) (?:one|song|track|piece|tune|lullaby|thing)?|\b(?:it|that|this)\b", low
    ):
        return "last"
    named = re.search(r"\b(?:song|track|piece|tune) (?:called |named |titled )?([A-Z][\w']*(?: [A-Z][\w']*){0,4})", text)
    return named[1] if named else ""


# --- Questions ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _question_words() -> tuple[frozenset[str], Phrases[bool]]:
    data = vocabulary("studio_words")["question"]
    return frozenset(data["starts"]), Phrases((phrase, True) for phrase in data["asks"])


@lru_cache(maxsize=2)
def _facts(kind: str) -> Phrases[tuple[str, ...]]:
    meant: dict[str, list[str]] = {}
    for name, phrases in vocabulary("studio_words")[kind].items():
        for phrase in phrases:
            meant.setdefault(" ".join(words_of(phrase)), []).append(name)
    return Phrases((phrase, tuple(names)) for phrase, names in meant.items())


def is_question(tokens: Sequence[Token], text: str) -> bool:
    """Whether something is asked rather than told to be done."""
    spoken = [token for token in tokens if token.kind != "stop"]
    if not spoken:
        return False
    asking = ("you", "i", "we", "they", "these", "those", "the", "my", "both", "people", "any", "all")
    if spoken[0].text == "do" and len(spoken) > 1 and spoken[1].text not in asking and not text.rstrip().endswith("?"):
        return False  # "do not touch the bass", "do an automatic mastering"
    starts, asks = _question_words()
    if spoken[0].text in ("should", "would", "has", "will", "have") and not text.rstrip().endswith("?"):
        return False  # "should sound as if it came from far away" is a wish
    return spoken[0].text in starts or text.rstrip().endswith("?") or any(hit.start <= 1 for hit in asks.find(spoken))


def begins_with_fact(tokens: Sequence[Token]) -> bool:
    """Whether the first words, but for an article, name something that can be measured or described."""
    first = 1 if tokens[0].text in ("the", "its", "my", "some", "a", "any", "overall", "just") else 0
    return any(hit.start <= first for kind in ("metrics", "aspects") for hit in _facts(kind).find(tokens))


def share_of_facts(tokens: Sequence[Token]) -> float:
    """How much of what is said names something that can be measured or described, without the little words."""
    named = {i for kind in ("metrics", "aspects") for hit in _facts(kind).find(tokens) for i in range(hit.start, hit.end)}
    little = {
        "the",
        "a",
        "an",
        "my",
        "of",
        "and",
        "please",
        "its",
        "for",
        "me",
        "this",
        "that",
        "it",
        "some",
        "in",
        "or",
        "file",
        "recording",
        "track",
        "song",
        "to",
    }
    told = [i for i, token in enumerate(tokens) if token.kind != "stop" and (token.text not in little or i in named)]
    return len(named) / len(told) if told else 0.0


def answer(tokens: Sequence[Token], text: str, at: Situation) -> tuple[list[Call], str]:
    """The reading calls that answer a question; nothing is changed."""
    files = _compared(tokens, text, at) or named_files(tokens, text, at)
    metrics = _named("metrics", tokens)
    aspects = _named("aspects", tokens)
    with_files = {"files": files} if files else {}
    if aspects and not ({"affect", "scene"} >= set(aspects) and metrics and "feel" not in text.lower()):
        sure = [name for name in aspects if name != "caption"] or aspects
        calls = [Call("describe", {**with_files, "aspects": sure})]
        if (
            metrics
            and not {"loudness", "caption"} & set(aspects)
            and len(metrics) <= 2
            and {"key", "tempo", "lufs"} & set(metrics)
        ):
            calls.append(Call("analyze", {**with_files, "metrics": metrics}))
        return calls, "I listen to it and say what is there; estimates are marked as such."
    if metrics:
        return [
            Call("analyze", {**with_files, "metrics": metrics})
        ], f"Measured: {', '.join(name.replace('_', ' ') for name in metrics)}."
    words = {token.text for token in tokens}
    if files or words & {
        "analyse",
        "analyze",
        "analysis",
        "measure",
        "inspect",
        "compare",
        "stats",
        "statistics",
        "report",
        "check",
        "examine",
        "test",
        "different",
        "difference",
        "wrong",
        "problem",
        "problems",
        "defects",
    }:
        return [Call("analyze", with_files)], "Everything that can be measured about it."
    return [], ""


def _named(kind: str, tokens: Sequence[Token]) -> list[str]:
    found: list[str] = []
    for hit in _facts(kind).find(tokens):
        found += [name for name in hit.value if name not in found]
    words = {token.text for token in tokens}
    if kind == "metrics":
        if "key" in found and "lra" in found and "range" not in words:
            found.remove("lra")
        if "duration" in found and "tempo" in found and not words & {"bpm", "tempo", "fast", "slow"}:
            found.remove("tempo")
        if "binaural_beat" in found and words & {"beat", "binaural"}:
            found = [name for name in found if name not in ("stereo", "tonal_peaks")]
        if "tonal_peaks" in found and "key" in found and not words & {"hz", "frequency", "tone", "tones"}:
            found.remove("tonal_peaks")
    return found


_COMPARED = re.compile(
    r"\bcompare\s+(?:the )?(?:loudness of |tracks |files |songs )?(.+?)\s+(?:and|with|to|vs\.?|versus|against)\s+(.+?)[?.!]*$",
    re.IGNORECASE,
)
_PRONOUNS = frozenset(("it", "this", "that", "them", "these", "both", "the two", "before", "the original", "original", "after"))


def _compared(tokens: Sequence[Token], text: str, at: Situation) -> list[str]:
    match = _COMPARED.search(text)
    if match is None:
        return []
    out = []
    for name in (match[1], match[2]):
        short = re.sub(r"^(?:the |my )|(?:'s)?\s+(?:in|by|for|on|regarding|loudness)\b.*$", "", name.strip().strip("\"'")).strip()
        if not short or short.lower() in _PRONOUNS or len(short) > 60:
            continue
        folder = [file for file in at.files_in_folder if file.rsplit(".", 1)[0].lower() == short.lower()]
        out.append(folder[0] if folder else short)
    return out if len(out) == 2 or any("." in name for name in out) else []
