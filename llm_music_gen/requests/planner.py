"""From a request in plain English to a plan, without any model: safety, tokens, sentences, what each is about, calls, order."""

# ruff: noqa: E501 - patterns and lists of words are easier to read whole

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from llm_music_gen.errors import UsageError
from llm_music_gen.requests import studio
from llm_music_gen.requests.frequencies import read_frequency, speaks_of_frequency
from llm_music_gen.requests.making import read_making, style_list
from llm_music_gen.requests.replies import reply_for
from llm_music_gen.requests.safety import without_commands
from llm_music_gen.requests.situation import Situation
from llm_music_gen.requests.sounds import has_strong_words, read_sound
from llm_music_gen.requests.text import Token, normalised, tokenize, with_digits
from llm_music_gen.requests.words import Phrases, instrument_words, listed, rewrites, speller, vocabulary
from llm_music_gen.tools.plan import Call, Plan, Registry

_OBJECT = re.compile(
    r"^(?:\w+ ){0,2}?(?:it|this|that|these|those|them|everything|(?:the|my|our|his|her) (?!last song like)(?:\w+ ){0,2}?(?:song|track|file|files|recording|mix|audio|sound|vocals?|voice|bass|"
    r"music|tone|whole|drums?|guitar|treble|intro|highs|lows|stereo|loudness|volume|ending|podcast|speech|take|album|beginning|start|singer|interview|narration|dialogue|piano|master)s?)\b",
    re.IGNORECASE,
)
_THEN = re.compile(
    r"(?:[.!?;]+\s+|\s*[;\n]+\s*|[,.]?\s+(?:and\s+)?(?:then|after that|afterwards|and also)\s+|(?<=\?)\s*)", re.IGNORECASE
)
_VAGUE = re.compile(
    r"^(?:make|do|get) (?:it|this|that|the (?:song|track|file|sound|audio|mix))? ?(?:sound )?(?:much |a lot |way |a bit |just )?(?:better|nicer|good|great|awesome|cool|cooler|perfect|amazing|right|best|different|something)\b"
    r"|^(?:improve|fix|process|change|edit|help|do something|do your thing|optimi[sz]e|work on)(?: (?:it|this|that|with it|to it|the (?:song|track|file|sound|audio|mix)|this file|something))?(?: please| up)?[.! ]*$",
    re.IGNORECASE,
)
#: More sentences than these are read as one.
_MOST_SENTENCES = 12
#: Of one sentence; what comes after them is not read.
_MOST_TOKENS = 200
_HELP = re.compile(
    r"^(?:help|what can (?:you|i|this) (?:do|say|ask)|what do you do|how does this work|commands?|what are you|who are you|options)\b",
    re.IGNORECASE,
)


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
    for sentence in _sentences(text):
        found, said = _understood(sentence, at, earlier=calls)
        calls += found
        notes += [note for note in said if note not in notes]
    if address and not any(call.tool == "refuse" for call in calls):
        calls.append(Call("refuse", {"reason": "offline", "offer": "normalize"}))
    calls = _tidy(calls)
    if not calls:
        calls = [Call("refuse", {"reason": "unsafe", "offer": "gain"})] if taken else [Call("ask", {"about": "what"})]
    checked = [_checked(call, registry) for call in calls]
    return Plan(tuple(checked), reply_for(checked, notes, at))


def _sentences(text: str) -> list[str]:
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
    return _rejoined([*out[:_MOST_SENTENCES], ", ".join(out[_MOST_SENTENCES:])] if len(out) > _MOST_SENTENCES else out)


def _quoted(text: str, place: int) -> bool:
    return text.count('"', 0, place) % 2 == 1


def _rejoined(pieces: list[str]) -> list[str]:
    """Orders of one chain ("first the hiss, then the bass") stay together, as do details after a wish for music."""
    out: list[str] = []
    last = ""
    for piece in pieces:
        topic = _topic(piece)
        joined = bool(out) and not out[-1].endswith("?") and not piece.endswith("?")
        if joined and topic in ("sound", "") and last in ("sound", ""):
            out[-1] = f"{out[-1]}, then {piece}"
            last = last or topic
        elif (joined and piece[:1].isdigit() and last == topic == "frequency") or (
            joined and last in ("frequency", "compose") and topic == ""
        ):
            out[-1] = f"{out[-1]}, {piece}"
        else:
            out.append(piece)
            last = topic
    return out


@lru_cache(maxsize=64)
def _tokens(text: str) -> list[Token]:
    for pattern, new in rewrites():
        text = pattern.sub(new, text)
    return [speller().mended(token) for token in tokenize(with_digits(text))[:_MOST_TOKENS]]


@lru_cache(maxsize=1)
def _polite() -> Phrases[str]:
    return listed("grammar", "polite")


def _bared(tokens: Sequence[Token]) -> list[Token]:
    """Without polite words at the beginning."""
    left = list(tokens)
    while left:
        if left[0].kind == "stop":
            left.pop(0)
            continue
        hits = _polite().find(left)
        if not hits or hits[0].start != 0 or hits[0].end == len(left):
            break
        left = left[hits[0].end :]
    return left


@lru_cache(maxsize=64)
def _topic(sentence: str) -> str:
    """What a sentence is about: question, refusal, command, frequency, compose, details, sound, or "" for nothing known."""
    tokens = _bared(_tokens(sentence))
    if not tokens:
        return ""
    polite = len(tokens) < len(_tokens(sentence))
    spoken = " ".join(token.text for token in tokens if token.kind != "stop")
    if _HELP.match(spoken) or _VAGUE.match(spoken):
        return "vague"
    if studio.refusal(tokens):
        return "refusal"
    question = studio.is_question(tokens, sentence if not polite else sentence.rstrip("?"))
    asked = question and bool(studio.answer(tokens, sentence, Situation())[0])
    making = _wants_music(tokens, spoken)
    if making == "compose" and not (question and asked):
        return _kind_of_making(tokens, sentence, spoken)
    command = studio.command(tokens, sentence, Situation())
    if command and not (asked and not _commands_anyway(tokens)):
        return "frequency" if command[0].tool == "export_youtube" and speaks_of_frequency(tokens, sentence) else "command"
    if asked:
        return "question"
    if not question and speaks_of_frequency(tokens, sentence):
        return "frequency"
    if question:
        return "question"
    sound = read_sound(tokens, sentence, Situation(file="x"))
    if sound.calls and (sound.strong or _OBJECT.match(spoken) or not making):
        return "sound"
    if making:
        return "compose" if making in ("bare", "compose") else making
    if (
        any(call.args.get("metrics") or call.args.get("aspects") for call in studio.answer(tokens, sentence, Situation())[0])
        and not sound.calls
    ):
        return "question"
    return "sound" if sound.calls else ""


def _commands_anyway(tokens: Sequence[Token]) -> bool:
    command = studio.command(tokens, "", Situation())
    return command is not None and command[0].tool in (
        "history",
        "library",
        "job",
        "show_abc",
        "proof",
        "transcribe",
        "export_youtube",
        "transcribe_melody",
        "queue",
    )


def _kind_of_making(tokens: Sequence[Token], sentence: str, spoken: str) -> str:
    if speaks_of_frequency(tokens, sentence):
        return "frequency"
    if re.search(
        r"\b(?:youtube|video|upload) (?:description|title|tags|text)\b|\bdescription\b.*\bchapters\b|\bthumbnail\b", spoken
    ):
        return "command"
    return "compose"


_ARTICLE = frozenset(("a", "an", "some", "another", "any", "new", "more"))


def _wants_music(tokens: Sequence[Token], spoken: str) -> str:
    """ "compose" where music is ordered in a sentence, "bare" where only styles or the like are named, else ""."""
    making = vocabulary("making_words")
    left = list(tokens)
    verbs = listed("making_words", "verbs").find(left)
    ordered = bool(verbs and verbs[0].start == 0)
    if ordered:
        left = left[verbs[0].end :]
        while left and left[0].text in ("me", "us", "up", "him", "her", "please", "out"):
            left = left[1:]
    rest = " ".join(token.text for token in left if token.kind != "stop")
    nouns = {hit.start for hit in listed("making_words", "nouns").find(left)}
    styles = style_list(left)
    instruments = instrument_words().find(left)
    moods = listed("making_words", "moods").find(left)
    from_last = re.search(
        r"\b(?:like|more like|same as|similar to) (?:the |my )?(?:last|previous|it|this|that)\b|\banother one\b|\bone more\b",
        rest,
    )
    if any(token.kind == "file" for token in tokens) or re.search(
        r"\b(?:sounds?|sounding) (?:too|like|very|so|a bit|muddy|harsh)\b", spoken
    ):
        return ""
    if from_last and not re.match(r"(?:make|do) (?:it|this|that) sound", spoken):
        return "compose"
    if _OBJECT.match(rest) and not re.match(r"(?:the|my) (?:\w+ ){0,2}song for\b", rest):
        return ""
    if not left or (ordered and left[0].text in ("the", "my") and not {"for", "about"} & {token.text for token in left}):
        return ""
    article = left[0].text in _ARTICLE or (left[0].kind == "number" and left[0].unit in ("", "s", "bpm"))
    counted = left[0].kind == "number" and not left[0].unit
    if (
        left[0].kind == "number"
        and left[0].unit == "s"
        and len(left) > 1
        and left[1].text == "of"
        and (styles or instruments or nouns)
    ):
        return "compose"
    subject = bool(nouns or styles or instruments)
    strong = has_strong_words(left)
    if ordered and (article or counted) and (subject or moods) and (not strong or nouns or styles):
        return "compose" if subject else ""
    if (
        ordered
        and verbs[0].text in ("compose", "generate", "write", "create", "invent", "improvise", "produce")
        and (subject or moods)
    ):
        return "compose"
    if ordered and (nouns or (styles and moods)) and not strong:
        return "compose"
    if ordered and styles and not strong:
        return "compose"
    if article and (nouns or styles) and not (strong and not nouns):
        return "compose"
    if (subject and not strong) or (nouns and styles):
        verbs_of_sound = {
            *vocabulary("grammar")["remove"],
            "add",
            "reduce",
            "turn",
            "apply",
            "put",
            "boost",
            "cut",
            "fade",
            "less",
            "too",
        } - {"take"}
        return (
            ""
            if left[0].text in verbs_of_sound or {"less", "too", "more"} & {t.text for t in left}
            else "bare"
            if not ordered
            else "compose"
        )
    if table_hit(making, left):
        return "bare"
    return ""


def table_hit(making: dict[str, object], tokens: Sequence[Token]) -> bool:
    """Whether only what music is for is said: "something for studying"."""
    occasions = making["occasions"]
    assert isinstance(occasions, dict)
    spoken = [token.text for token in tokens]
    return "for" in spoken and "something" in spoken and any(word in occasions for word in spoken)


def _understood(sentence: str, at: Situation, earlier: Sequence[Call]) -> tuple[list[Call], list[str]]:
    """The calls of one sentence."""
    tokens = _bared(_tokens(sentence))
    topic = _topic(sentence)
    if topic == "vague":
        return [Call("ask", {"about": "what"})], []
    if topic == "refusal":
        found = studio.refusal(tokens)
        return ([found[0]], [found[1]]) if found else ([], [])
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
    calls = sound.calls
    if (
        calls
        and not (at.file or at.last_song or at.files_in_folder or earlier)
        and not any(call.args.get("files") for call in calls)
    ):
        calls = [*calls, Call("ask", {"about": "which_file"})]
    return calls, sound.notes


def _music(tokens: Sequence[Token], sentence: str, at: Situation) -> tuple[list[Call], list[str]]:
    made = read_making(tokens, sentence, at)
    calls = [Call("compose", made.args)]
    telling = {"style", "instruments", "mood", "from", "meter", "title", "key", "bpm", "len_s"} & set(made.args)
    if (
        not telling
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
