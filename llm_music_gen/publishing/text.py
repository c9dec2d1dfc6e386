"""The texts of an upload: titles, description, chapters, tags and credits, each with the check that it keeps the site's rules.

Rules (YouTube Help and Data API, "videos" resource): title at most 100 characters, description at most 5,000 bytes, tags at
most 500 characters together, none with < or >; chapters start at 0:00, are at least three, ascend and lie over 10 s apart.
"""

from __future__ import annotations

import re
import unicodedata

from llm_music_gen.publishing.upload import Licensed, Upload, clock, length_words, number

TITLE_CHARACTERS = 100
DESCRIPTION_BYTES = 5_000
TAGS_CHARACTERS = 500
CHAPTER_NAME_CHARACTERS = 60
#: "Over 10 s": the sites refuse a list with a shorter one, and shown times drop fractions.
CHAPTER_SECONDS = 11
DISCLOSURE = "This music was made with the help of artificial intelligence (AI-generated music)."
HEADPHONES = "Use headphones: the binaural layer is a difference between the left and the right ear. Keep the volume low."
#: What no text may say of music: effects on a body or an illness.
_CLAIM = re.compile(
    r"\b(heal\w*|cur(?:e|es|ed|ing)|therap\w*|medic(?:al|in)\w*|treat(?:s|ed|ing|ment\w*)?|dna|repair\w*|detox\w*|"
    r"diagnos\w*|diseases?|illness\w*|pain|anxiety|depression|insomnia|cancer|miracles?|clinical\w*|scientific\w*)\b",
    re.IGNORECASE,
)
_TIMESTAMP = re.compile(r"^(?:(\d+):([0-5]\d)|([0-5]?\d)):([0-5]\d) (\S.*)$")


def titles(upload: Upload) -> list[str]:
    """Three different titles, each at most 100 characters."""
    name = plain(upload.title) or "Untitled"
    pitch = _pitch(upload)
    styles = ", ".join(_styles(upload)[:2])
    length = length_words(upload.length_s)
    kind = f"{styles} music" if styles else "Instrumental music"
    wanted = [
        " · ".join(part for part in (name, pitch, length) if part),
        " · ".join(part for part in (pitch, _capital(kind), length, name) if part),
        " | ".join(
            part for part in (name, f"{_capital(kind)} for relaxation" if _calm(upload) else _capital(kind), length) if part
        ),
    ]
    out: list[str] = []
    for title in wanted:
        short = _shortened(title, TITLE_CHARACTERS)
        if short not in out:
            out.append(short)
    return out


def chapters(upload: Upload) -> list[str]:
    """Lines "h:mm:ss name" that are valid as chapters; empty where the song has too few places for them.

    Names that lie too close to the one before are left out, the first is moved to 0:00.
    """
    whole = int(upload.length_s)
    hours = whole >= 3600
    kept: list[tuple[int, str]] = []
    for start, name in sorted((int(max(0.0, start)), name) for start, name in upload.chapters):
        if whole - start < CHAPTER_SECONDS:
            break
        if not kept:
            kept.append((0, name))
        elif start - kept[-1][0] >= CHAPTER_SECONDS:
            kept.append((start, name))
    if len(kept) < 3:
        return []
    names = [_shortened(plain(name) or f"Part {place}", CHAPTER_NAME_CHARACTERS) for place, (_, name) in enumerate(kept, 1)]
    return [f"{clock(start, hours=hours)} {name}" for (start, _), name in zip(kept, names, strict=True)]


def description(upload: Upload) -> str:
    """What the song is, its chapters, its making, credits and the disclosure; at most 5,000 bytes.

    Where it would be too long, chapter lines are thinned out evenly; credits and disclosure always stay.
    """
    before = [_first_line(upload), ""]
    after = [*_facts(upload), ""]
    if upload.binaural:
        after += [HEADPHONES, ""]
    after += [DISCLOSURE, "", *credits(upload).splitlines()]
    lines = chapters(upload)
    name_characters = CHAPTER_NAME_CHARACTERS
    while True:
        listed = [*lines, ""] if lines else []
        text = "\n".join([*before, *listed, *after]).rstrip() + "\n"
        if len(text.encode()) <= DESCRIPTION_BYTES:
            return text
        if len(lines) > 3 and name_characters <= 24:
            lines = [lines[0], *lines[1::2]] if len(lines) > 5 else lines[:3]
        elif lines and name_characters > 24:
            name_characters -= 12
            lines = [_shortened(line, name_characters + 8) for line in lines]
        else:
            # Only facts of absurd length are left: keep the disclosure, cut the rest.
            head = "\n".join(part[:300] for part in before + listed)
            rest = "\n" + DISCLOSURE + ("\n" + HEADPHONES if upload.binaural else "") + "\n\n"
            room = DESCRIPTION_BYTES - len((head + rest).encode()) - 1
            return head + rest + credits(upload).encode()[:room].decode("utf-8", "ignore").rstrip() + "\n"


def tags(upload: Upload) -> str:
    """Tags with commas between them, at most 500 characters together (a tag with spaces counts two more, as the site does)."""
    words: list[str] = [*_styles(upload), *(f"{style} music" for style in _styles(upload))]
    if upload.frequency_hz is not None:
        hz = number(upload.frequency_hz)
        words += [f"{hz}hz", f"{hz} hz music"]
    words += [plain(layer) for layer in upload.layers]
    if upload.length_s >= 3600:
        words += [length_words(upload.length_s), "long music"]
    words += ["instrumental", "AI music", "background music"]
    if _calm(upload):
        words += ["relaxing music", "calm music"]
    chosen: list[str] = []
    used = 0
    for word in (word.replace(",", " ").strip() for word in words):
        cost = _tag_cost(word) + (1 if chosen else 0)
        if word and word.casefold() not in {tag.casefold() for tag in chosen} and used + cost <= TAGS_CHARACTERS:
            chosen.append(word)
            used += cost
    return ",".join(chosen)


def credits(upload: Upload) -> str:
    """Who and what took part, with licences."""
    lines = ["Credits", f"Music: {plain(upload.title) or 'Untitled'}, composed, arranged and rendered with Llm-Music-Gen"]
    if upload.soundfont is not None:
        lines.append(f"Soundfont: {_licensed(upload.soundfont)}")
    lines += [f"Model: {_licensed(model)}" for model in upload.models]
    return "\n".join(lines) + "\n"


def title_faults(title: str) -> list[str]:
    """What is wrong with a title; empty when it is fine."""
    faults = _text_faults("The title", title)
    if not title.strip():
        faults.append("The title is empty.")
    if len(title) > TITLE_CHARACTERS:
        faults.append(f"The title has {len(title)} characters; {TITLE_CHARACTERS} are allowed.")
    return faults


def description_faults(text: str, length_s: float) -> list[str]:
    """What is wrong with a description of a song of `length_s`; empty when it is fine."""
    faults = _text_faults("The description", text)
    size = len(text.encode())
    if size > DESCRIPTION_BYTES:
        faults.append(f"The description has {size} bytes; {DESCRIPTION_BYTES} are allowed.")
    if DISCLOSURE not in text:
        faults.append("The description does not say that the music is AI-generated.")
    lines = [line for line in text.splitlines() if _TIMESTAMP.match(line)]
    if lines:
        faults += chapters_faults(lines, length_s)
    return faults


def chapters_faults(lines: list[str], length_s: float) -> list[str]:
    """What is wrong with chapter lines; empty when they are fine or there are none."""
    if not lines:
        return []
    starts: list[int] = []
    faults: list[str] = []
    for line in lines:
        found = _TIMESTAMP.match(line)
        if found is None:
            faults.append(f'The chapter line "{line}" is not a time and a name.')
            continue
        hours, minutes, short, seconds, _ = found.groups()
        starts.append(int(hours or 0) * 3600 + int(minutes or short) * 60 + int(seconds))
        faults += _text_faults("A chapter", line)
    if len(starts) < 3:
        faults.append("There are fewer than three chapters.")
    if starts and starts[0] != 0:
        faults.append("The first chapter does not start at 0:00.")
    if any(later - earlier <= 10 for earlier, later in zip(starts, [*starts[1:], length_s], strict=False)):
        faults.append("Chapters must ascend and each must last over 10 seconds.")
    return faults


def tags_faults(text: str) -> list[str]:
    """What is wrong with tags; empty when they are fine."""
    faults = _text_faults("The tags", text)
    words = [word for word in text.strip().split(",") if word]
    used = sum(map(_tag_cost, words)) + max(0, len(words) - 1)
    if used > TAGS_CHARACTERS:
        faults.append(f"The tags count {used} characters; {TAGS_CHARACTERS} are allowed.")
    return faults


def credits_faults(text: str) -> list[str]:
    """What is wrong with credits; empty when they are fine."""
    return [] if text.startswith("Credits\n") else ["The credits do not begin with their heading."]


def plain(text: str) -> str:
    """One line without < > and control characters, and without claims about health."""
    tidy = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text if char not in "<>")
    return " ".join(_CLAIM.sub("", tidy).split())


def _text_faults(what: str, text: str) -> list[str]:
    faults = [f"{what} contains < or >."] if "<" in text or ">" in text else []
    if claim := _CLAIM.search(text):
        faults.append(f'{what} makes a claim about health ("{claim.group()}").')
    return faults


def _first_line(upload: Upload) -> str:
    styles = ", ".join(_styles(upload))
    purpose = " for relaxation" if _calm(upload) else ""
    kind = f"{styles} music" if styles else "instrumental music"
    tuned = f", {_pitch_words(upload)}" if upload.frequency_hz is not None else ""
    return f"{plain(upload.title) or 'Untitled'}: {length_words(upload.length_s)} of {kind}{purpose}{tuned}."


def _facts(upload: Upload) -> list[str]:
    rows = [
        ("Key", plain(upload.key)),
        ("Tempo", f"{number(upload.tempo_bpm)} beats per minute" if upload.tempo_bpm else ""),
        ("Tuning", plain(upload.tuning)),
        ("Layers", ", ".join(filter(None, map(plain, upload.layers)))),
        ("Loudness", f"{upload.loudness_lufs:.1f} LUFS" if upload.loudness_lufs is not None else ""),
        ("True peak", f"{upload.true_peak_dbtp:.1f} dBTP" if upload.true_peak_dbtp is not None else ""),
        ("Seed", str(upload.seed)),
    ]
    return [f"{name}: {value}" for name, value in rows if value]


def _pitch(upload: Upload) -> str:
    if upload.frequency_hz is None:
        return ""
    hz = f"{number(upload.frequency_hz)} Hz"
    return f"A4 = {hz}" if upload.frequency_meaning == "reference" else hz


def _pitch_words(upload: Upload) -> str:
    hz = number(upload.frequency_hz or 0.0)
    if upload.frequency_meaning == "reference":
        return f"tuned to A4 = {hz} Hz"
    if upload.frequency_meaning == "pulse":
        return f"with a pulse of {hz} Hz"
    return f"its tonic tuned to {hz} Hz"


def _calm(upload: Upload) -> bool:
    words = " ".join((*upload.styles, upload.mood)).casefold()
    return any(word in words for word in ("sleep", "meditat", "ambient", "calm", "relax", "drone", "night", "lofi", "lo-fi"))


def _styles(upload: Upload) -> list[str]:
    return [style for style in map(plain, upload.styles) if style]


def _licensed(thing: Licensed) -> str:
    licence = plain(thing.licence) or "licence not stated by its file"
    return " · ".join(part for part in (plain(thing.name), licence, plain(thing.url)) if part)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip(" ·|,") + "…"


def _tag_cost(tag: str) -> int:
    return len(tag) + (2 if " " in tag else 0)
