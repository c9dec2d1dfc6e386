"""From a request in plain English to a plan, without any model: safety, tokens, sentences, what each is about, calls, order."""

from __future__ import annotations

import re
from collections.abc import Sequence

from llm_music_gen.errors import UsageError
from llm_music_gen.requests import studio
from llm_music_gen.requests.frequencies import read_frequency
from llm_music_gen.requests.making import read_making
from llm_music_gen.requests.replies import reply_for
from llm_music_gen.requests.safety import without_commands
from llm_music_gen.requests.situation import Situation
from llm_music_gen.requests.song_changes import song_referred_to
from llm_music_gen.requests.sounds import read_sound
from llm_music_gen.requests.text import Token, normalised
from llm_music_gen.requests.topics import bared, tokens_of, topic_of
from llm_music_gen.requests.words import listed, vocabulary
from llm_music_gen.tools.plan import Call, Plan, Registry
from llm_music_gen.tools.words import moved

_THEN = re.compile(
    r"(?:[.!?;]+\s+|\s*[;\n]+\s*|[,.]?\s+(?:and\s+)?(?:then|after that|afterwards|and also)\s+|(?<=\?)\s*)", re.IGNORECASE
)
#: More sentences than these are read as one.
_MOST_SENTENCES = 12


def plan_request(request: str, situation: Situation | None = None, registry: Registry | None = None) -> Plan:
    """What a request in plain English comes to: tool calls in their order, and a reply in words.

    Any text gives a plan; what cannot be done becomes `refuse` with the nearest offer, what is unclear becomes `ask`.
    Calls that `registry` knows are checked and clamped by it.
    """
    at = situation or Situation()
    text, taken, address = without_commands(normalised(request))
    notes: list[str] = (
        ["I left out the part that is no request for sound; nothing is run but the studio's own tools."] if taken else []
    )
    if address:
        notes.append("Nothing is fetched from the web: name a file on this computer.")
    calls: list[Call] = []
    for sentence in _sentences(text, at.songs):
        found, said = _understood(sentence, at, earlier=calls)
        calls += found
        notes += [note for note in said if note not in notes]
    if address and not any(call.tool == "refuse" for call in calls):
        calls.append(Call("refuse", {"reason": "offline", "offer": "normalize"}))
    calls = _tidy(calls)
    if not calls:
        calls = [Call("refuse", {"reason": "unsafe", "offer": "gain"})] if taken else [Call("ask", {"about": "what"})]
    checked = [_checked(call, registry) for call in calls]
    for call, within in zip(calls, checked, strict=True):
        if registry is not None and call.tool == within.tool and call.tool in registry:
            numbers = {name: value for name, value in call.args.items() if isinstance(value, int | float)}
            notes += moved(registry[call.tool], numbers, within.args)
    return Plan(tuple(checked), reply_for(checked, notes, at))


def _sentences(text: str, songs: tuple[str, ...]) -> list[str]:
    """The sentences of a request, also split at "then"; without the polite words before them."""
    out = []
    places = [(m.start(), m.end()) for m in _THEN.finditer(text) if not _quoted(text, m.start())]
    begin = 0
    for start, end in [*places, (len(text), len(text))]:
        mark = "?" if "?" in text[start:end] else ""
        piece = text[begin:start].strip(" ,") + mark
        begin = end
        if piece.strip(" ?"):
            out.append(piece)
    return _rejoined([*out[:_MOST_SENTENCES], ", ".join(out[_MOST_SENTENCES:])] if len(out) > _MOST_SENTENCES else out, songs)


def _quoted(text: str, place: int) -> bool:
    return text.count('"', 0, place) % 2 == 1


def _rejoined(pieces: list[str], songs: tuple[str, ...]) -> list[str]:
    """Orders of one chain ("first the hiss, then the bass") stay together, as do details after a wish for music."""
    out: list[str] = []
    last = ""
    for piece in pieces:
        topic = topic_of(piece, songs)
        joined = bool(out) and not out[-1].endswith("?") and not piece.endswith("?")
        if joined and topic in ("sound", "") and last in ("sound", ""):
            out[-1] = f"{out[-1]}, then {piece}"
            last = last or topic
        elif joined and _goes_on(piece, topic, last):
            out[-1] = f"{out[-1]}, {piece}"
        else:
            out.append(piece)
            last = topic
    return out


def _goes_on(piece: str, topic: str, last: str) -> bool:
    """Whether a piece only adds to the wish before it: "Metal. Fast.", tones one after another, details without a topic."""
    if last == "frequency":
        return topic == "" or (topic == "frequency" and piece[:1].isdigit())
    short = len(piece.split()) <= 3
    return last == "compose" and (topic == "" or (topic == "compose" and short) or " " not in piece.strip(" ?"))


def _understood(sentence: str, at: Situation, earlier: Sequence[Call]) -> tuple[list[Call], list[str]]:
    """The calls of one sentence."""
    tokens = bared(tokens_of(sentence))
    topic = topic_of(sentence, at.songs)
    if topic == "vague":
        return [Call("ask", {"about": "what"})], []
    if topic == "refusal":
        found = studio.refusal(tokens)
        return ([found[0]], [found[1]]) if found else ([], [])
    if topic == "edit":
        song = song_referred_to(sentence, at.songs) or studio.song_named(tokens, sentence, at) or "last"
        return [Call("edit", {"song": song, "request": sentence.strip()[:500]})], [
            "The song's own notes are changed and it is made again."
        ]
    if topic == "command":
        command = studio.command(tokens, sentence, at)
        if command is None:
            return [], []
        calls = [command[0]]
        if command[0].tool == "library" and command[0].args.get("action") == "remove":
            calls.insert(0, Call("ask", {"about": "confirm"}))
        return calls, [command[1]]
    if topic == "question":
        calls, said = studio.answer(tokens, sentence, at)
        return (calls, [said]) if calls else ([Call("ask", {"about": "what"})], [])
    if topic == "frequency":
        return read_frequency(tokens, sentence)
    if topic == "compose":
        return _music(tokens, sentence, at)
    sound = read_sound(tokens, sentence, at)
    if not topic:
        return [], [_not_understood(sentence, sound.calls)]
    calls = sound.calls
    if (
        calls
        and not (at.file or at.last_song or at.files_in_folder or earlier)
        and not any(call.args.get("files") for call in calls)
    ):
        calls = [*calls, Call("ask", {"about": "which_file"})]
    return calls, sound.notes


def _not_understood(sentence: str, near: Sequence[Call]) -> str:
    """Says what was not understood, and what comes nearest."""
    short = sentence if len(sentence) <= 60 else f"{sentence[:57]}..."
    nearest = f" The nearest thing is {near[0].tool}; say which sound it is for." if near else ""
    return f'Not understood: "{short.strip(" ?")}".{nearest}'


def _music(tokens: Sequence[Token], sentence: str, at: Situation) -> tuple[list[Call], list[str]]:
    made = read_making(tokens, sentence, at)
    calls = [Call("compose", made.args)]
    telling = {"style", "instruments", "mood", "from", "meter", "title", "key", "bpm", "len_s"} & set(made.args)
    forms = {hit.text for hit in listed("making_words", "nouns").find(tokens)} - set(vocabulary("making_words")["plain_nouns"])
    if (
        not telling
        and not forms
        and "n" not in made.args
        and not re.search(r"\b(?:surprise|anything|random|whatever|any)\b", sentence, re.IGNORECASE)
    ):
        return [Call("ask", {"about": "styles"})], made.notes
    tail = re.search(r"\b(?:and|,) (?:then )?(play|queue) (?:it|them|all|the result|everything)\b", sentence, re.IGNORECASE)
    if tail:
        calls.append(Call(tail[1].lower(), {}))
    if re.search(
        r"\b(?:with|and) (?:a )?black (?:screen|video)\b|\bfor (?:a )?youtube (?:video|upload)\b", sentence, re.IGNORECASE
    ):
        calls.append(Call("export_youtube", {"visual": "black" if "black" in sentence.lower() else "cover"}))
    return calls, made.notes


def _tidy(calls: Sequence[Call]) -> list[Call]:
    """Each call once; a question back only where nothing better was understood, refusals always."""
    out: list[Call] = []
    for call in calls:
        if call not in out:
            out.append(call)
    done = [call for call in out if call.tool not in ("ask", "refuse")]
    if done:
        out = [call for call in out if call.tool != "ask" or call.args.get("about") in ("confirm", "length", "which_file")]
    return out


def _checked(call: Call, registry: Registry | None) -> Call:
    """The call within the ranges that its tool declares; one that makes no sense becomes a question."""
    if registry is None or call.tool not in registry:
        return call
    files = {name: value for name, value in call.args.items() if name == "files"}
    takes_files = any(parameter.name == "files" for parameter in registry[call.tool].parameters)
    try:
        inner = call if takes_files else Call(call.tool, {k: v for k, v in call.args.items() if k != "files"})
        return Call(call.tool, {**({} if takes_files else files), **registry.checked(inner).args})
    except UsageError:
        return Call("ask", {"about": "what"})
