"""What a sentence of a request is about: a sound, music to be made, a question, a command, or what cannot be done."""

# ruff: noqa: E501 - patterns and lists of words are easier to read whole

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from llm_music_gen.requests import studio
from llm_music_gen.requests.frames import read_frames
from llm_music_gen.requests.frequencies import orders_tones, speaks_of_frequency
from llm_music_gen.requests.making import style_list
from llm_music_gen.requests.situation import Situation
from llm_music_gen.requests.song_changes import changes_a_song
from llm_music_gen.requests.sounds import has_strong_words, read_sound
from llm_music_gen.requests.text import NUMBER_WORDS, Token, slips, tokenize, with_digits
from llm_music_gen.requests.words import Hit, Phrases, instrument_words, listed, rewrites, speller, table, vocabulary

_OBJECT = re.compile(
    r"^(?:\w+ ){0,2}?(?:it|this|that|these|those|them|everything|(?:the|my|our|his|her) (?!last song like)(?:\w+ ){0,2}?(?:song|track|file|files|recording|mix|audio|sound|vocals?|voice|bass|"
    r"music|tone|whole|drums?|guitar|treble|intro|highs|lows|stereo|loudness|volume|ending|podcast|speech|take|album|beginning|start|singer|interview|narration|dialogue|piano|master)s?)\b",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"^(?:make|do|get) (?:it|this|that|the (?:song|track|file|sound|audio|mix))? ?(?:sound )?(?:much |a lot |way |a bit |just )?(?:better|nicer|good|great|awesome|cool|cooler|perfect|amazing|right|best|different|something(?! (?:like|for|to|that|with|in)\b))\b"
    r"|^(?:improve|fix|process|change|edit|help|do something|do your thing|optimi[sz]e|work on)(?: (?:it|this|that|with it|to it|the (?:song|track|file|sound|audio|mix)|this file|something))?(?: please| up)?[.! ]*$",
    re.IGNORECASE,
)
#: Of one sentence; what comes after them is not read.
_MOST_TOKENS = 200
_HELP = re.compile(
    r"^(?:help|what can (?:you|i|this) (?:do|say|ask)|what do you do|how does this work|commands?|what are you|who are you|options)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=64)
def tokens_of(text: str) -> list[Token]:
    for pattern, new in rewrites():
        text = pattern.sub(new, text)
    text = _MEASURE.sub(lambda match: f"{match[1]}{_unit_meant(match[2])}", text)
    return [speller().mended(token) for token in tokenize(with_digits(text))[:_MOST_TOKENS]]


#: A number, in digits or words, and the word after it.
_MEASURE = re.compile(rf"\b((?:\d+(?:[.,]\d+)?|an?|half an?|{'|'.join(NUMBER_WORDS)}) )([a-z]{{4,12}})\b", re.IGNORECASE)
_UNITS_WRITTEN = (
    "hours",
    "hour",
    "minutes",
    "minute",
    "seconds",
    "second",
    "semitones",
    "semitone",
    "percent",
    "hertz",
    "decibels",
    "decibel",
    "octave",
    "octaves",
)


def _unit_meant(word: str) -> str:
    """The unit that is a slip of the fingers away from a word no table knows: "two hors"."""
    low = word.lower()
    if low in _UNITS_WRITTEN or speller().is_word(low):
        return word
    return next((unit for unit in _UNITS_WRITTEN if slips(low, unit, 1) <= 1), word)


@lru_cache(maxsize=1)
def _polite() -> Phrases[str]:
    return listed("grammar", "polite")


def bared(tokens: Sequence[Token]) -> list[Token]:
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
def topic_of(sentence: str, songs: tuple[str, ...] = ()) -> str:
    """What a sentence is about: question, refusal, edit, command, frequency, compose, sound, or "" for nothing known."""
    tokens = bared(tokens_of(sentence))
    if not tokens:
        return ""
    polite = len(tokens) < len(tokens_of(sentence))
    spoken = " ".join(token.text for token in tokens if token.kind != "stop")
    if _HELP.match(spoken) or _VAGUE.match(spoken):
        return "vague"
    question = studio.is_question(tokens, sentence if not polite else sentence.rstrip("?"))
    if not question and changes_a_song(tokens, sentence, songs):
        return "edit"
    framed = read_frames(tokens)
    if studio.refusal(tokens) and not framed.strong:
        return "refusal"
    asked = question and bool(studio.answer(tokens, sentence, Situation())[0])
    making = _wants_music(tokens, spoken)
    tones = orders_tones(tokens, spoken)
    if (
        framed.strong
        and not question
        and not tones
        and (making != "compose" or _is_edit(tokens) or tokens[0].text in ("more", "less"))
    ):
        return "sound"
    if making == "compose" and not (question and asked):
        return _kind_of_making(tokens, sentence, spoken)
    sound = read_sound(tokens, sentence, Situation(file="x"))
    command = studio.command(tokens, sentence, Situation())
    if command and command[0].tool == "play" and "play" in spoken.split()[4:] and spoken.split()[0] not in _PLAYING:
        command = None  # "as if the neighbours play it"
    weak = bool(command) and command is not None and command[0].tool in _WEAK_COMMANDS and not _LASTING & {t.text for t in tokens}
    if weak and sound.calls and not tones and not question and (sound.strong or tokens[0].text not in _PLAYING):
        return "sound"
    if command and not (asked and not _commands_anyway(tokens)) and not (tones and weak):
        return "frequency" if command[0].tool == "export_youtube" and speaks_of_frequency(tokens, sentence) else "command"
    if asked and not (tones and not _asks(tokens)):
        return "question"
    if question and not _asks(tokens) and not sentence.rstrip().endswith("?"):
        question = False  # "give me the wav" asks for nothing that can be measured
    technical = bool({call.tool for call in sound.calls} & _TECHNICAL) and (framed.strong or has_strong_words(tokens))
    if (
        not question
        and sound.strong
        and sound.calls
        and not tones
        and (technical or _is_edit(tokens) or _STATEMENT.match(spoken))
    ):
        return "sound"
    if not question and (tones or speaks_of_frequency(tokens, sentence)):
        return "frequency"
    if question:
        return "question"
    if sound.calls and not sound.strong and (_speaks_of_other_things(tokens)):
        return ""
    if sound.calls and (sound.strong or _OBJECT.match(spoken) or not making):
        return "sound"
    if making:
        return "compose"
    if not sound.calls and _names_what_is_measured(tokens, sentence):
        return "question"
    return "sound" if sound.calls else ""


#: Commands whose words are said of sounds as well: "play it backwards", "set it to -14 LUFS".
_WEAK_COMMANDS = frozenset(("play", "set", "queue"))
#: Tools that are never words for music to be made.
_TECHNICAL = frozenset(("deess", "highpass", "lowpass", "dehum", "compress", "tremolo", "eq", "denoise", "limit"))
_PLAYING = frozenset(("play", "listen", "hear", "let", "start", "put", "set", "use", "queue", "add"))
#: What is to stay so from now on is a setting.
_LASTING = frozenset(("always", "default", "defaults", "setting", "settings", "preference", "preferences", "permanently"))
#: Something is said of what is there: "the cymbals are too loud", "it was recorded in a church".
_STATEMENT = re.compile(
    r"^(?:(?:but|because|since|i think|i guess|i feel|somehow|in) )*(?:the|my|this|that|it|there|her|his|our|their|these|those|one|all|everything|it's|there's|some)\b"
)


def _speaks_of_other_things(tokens: Sequence[Token]) -> bool:
    """ "Open the window": what is to be changed is nothing that sounds, as far as is known."""
    audible = vocabulary("grammar")["audible"]
    for index, token in enumerate(tokens[:-1]):
        following = tokens[index + 1]
        if token.text in ("the", "my", "your", "our") and following.kind == "word":
            noun = following.text
            if not speller().knows(noun) and noun not in audible and noun.rstrip("s") not in audible:
                return True
    return False


def _is_edit(tokens: Sequence[Token]) -> bool:
    """Whether it begins with a verb for changing what is there."""
    return tokens[0].text in vocabulary("grammar")["edit_verbs"]


def _asks(tokens: Sequence[Token]) -> bool:
    return tokens[0].text in vocabulary("studio_words")["question"]["starts"]


def _names_what_is_measured(tokens: Sequence[Token], sentence: str) -> bool:
    """ "Pleasantness and eventfulness please": only names of what can be measured or described, and no verb before them."""
    first = tokens[0].text
    if all(token.kind != "word" for token in tokens):
        return False
    if first in vocabulary("grammar")["edit_verbs"] or first in vocabulary("making_words")["verbs"]:
        return False
    if studio.share_of_facts(tokens) < 0.5:
        return False
    found = studio.answer(tokens, sentence, Situation())[0]
    return any(call.args.get("metrics") or call.args.get("aspects") for call in found) and studio.begins_with_fact(tokens)


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


#: "The cymbals are", "beat is": of an existing sound, even where a word for music stands first.
_OF_WHAT_IS_THERE = re.compile(
    r"^(?:(?:the|my|this|that|these|those|her|his|our) )?(?:\w+ )?\w+ (?:is|are|was|were|sounds|lacks|has|feels|seems|hurts?|needs|does|do|keeps?)\b(?! for)"
)
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
    loops = Phrases((("loop", True),)).find(left)
    from_last = re.search(
        r"\b(?:something|one|song|piece|tune|track) (?:like|similar to) \w+\b|\bsame as (?:before|last time)\b|\bsame (?:song|one|thing|track|piece|tune|again)\b(?! again$)|\bversion of (?:the |my )?(?:last|previous|latest)\b|\b(?:like|more like|same as|similar to) (?:the |my )?(?:last|previous|it|this|that)\b|\banother one\b|\bone more\b",
        rest,
    )
    if any(token.unit in ("lufs", "dbtp", "kbps") for token in tokens):
        return ""
    weak_only = styles and not nouns and not instruments and set(styles) <= set(making["weak_styles"]["words"])
    if weak_only and {token.text for token in tokens} & {
        "reverb",
        "reverberation",
        "echo",
        "delay",
        "effect",
        "ambience",
        "acoustics",
    }:
        return ""  # "some church reverb"
    if _manner(left, bool(nouns or styles or instruments or moods)):
        return "compose"
    if not ordered and _described_music(left, nouns, styles, instruments, bool(moods)):
        return "compose"
    if not (nouns - {hit.start for hit in loops}) and loops and not (styles or instruments or moods or counted_first(left)):
        return ""
    if (
        _OF_WHAT_IS_THERE.match(spoken)
        or any(token.kind == "file" for token in tokens)
        or re.search(r"\b(?:sounds?|sounding) (?:too|like|very|so|a bit|muddy|harsh)\b", spoken)
    ):
        return ""
    if from_last and not re.match(r"(?:make|do) (?:it|this|that) sound", spoken):
        return "compose"
    ordered_noun = left and left[0].text in ("a", "an", "some", "another") and any(start <= 3 for start in nouns)
    if _OBJECT.match(rest) and not ordered_noun and not re.match(r"(?:the|my) (?:\w+ ){0,2}song for\b", rest):
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


def _described_music(
    tokens: Sequence[Token], nouns: set[int], styles: Sequence[str], instruments: Sequence[Hit[str]], moods: bool
) -> bool:
    """ "Dreamy lo-fi with vinyl crackle", "echoing synths, 100 bpm": music described without a verb, and no file or sound named."""
    making = vocabulary("making_words")
    words = {token.text for token in tokens}
    if not tokens or tokens[0].text in vocabulary("grammar")["edit_verbs"] or words & set(making["not_described"]):
        return False
    if any(token.kind == "file" or token.unit in ("db", "percent", "semitones", "cents", "lufs", "hz") for token in tokens):
        return False
    if any(
        t.text == "the" and (not i or tokens[i - 1].text not in ("at", "in", "towards", "from")) for i, t in enumerate(tokens)
    ):
        return False  # something that is there already
    certain = {tokens[index].text for index in nouns} - set(making["uncertain_nouns"])
    strong_styles = [style for style in styles if style not in making["weak_styles"]["words"]]
    measured = any(token.unit in ("bpm", "s") and token.kind == "number" for token in tokens) or bool(
        table("making_words", "speeds").find(tokens)
    )
    tuneful = [hit for hit in instruments if hit.value not in ("bass", "drums")]
    evidence = 2 * bool(certain) + 1.5 * bool(strong_styles) + bool(tuneful) + moods + measured + 0.5 * bool(styles)
    return evidence >= 2 and bool(certain or styles or tuneful)


def counted_first(tokens: Sequence[Token]) -> bool:
    """Whether so many pieces are ordered: "5 loops"."""
    return bool(tokens) and tokens[0].kind == "number" and not tokens[0].unit


def _manner(tokens: Sequence[Token], described: bool) -> bool:
    """ "Gregorian chant feel, 8 minutes", "something spooky": the manner of music to be made, with no verb before it."""
    words = {token.text for token in tokens}
    if not tokens or tokens[0].text in vocabulary("grammar")["edit_verbs"] or any(token.kind == "file" for token in tokens):
        return False
    if words & {"it", "this", "sound", "sounds", "recording", "file", "my", "the"}:
        return False
    if tokens[0].text == "something":
        return described and not has_strong_words(tokens)
    lasts = any(token.unit == "s" and token.kind == "number" and token.value >= 10 for token in tokens)
    return bool(words & {"style", "feel", "vibe", "vibes", "mood", "flavour", "flavor", "inspired", "themed"}) and (
        described or lasts
    )


def table_hit(making: dict[str, object], tokens: Sequence[Token]) -> bool:
    """Whether only what music is for is said: "something for studying"."""
    occasions = making["occasions"]
    assert isinstance(occasions, dict)
    spoken = [token.text for token in tokens]
    return "for" in spoken and "something" in spoken and any(word in occasions for word in spoken)
