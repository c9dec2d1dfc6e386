"""What a model reads before it writes a section: the head of the tune and the sections that came before.

The built-in composer continues its own text. Any other model gets the same music as an ABC tune, behind the kind of question
that it was trained on, with the head of the answer already written: that keeps it from answering in prose.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from llm_music_gen.composing.written import WrittenSection
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.llm.formats import CHAT_FORMATS, Message, Prompt, chat_prompt, chatmusician_prompt, composer_prompt
from llm_music_gen.notation.writer import header_text, section_head

COMPOSER_TEXT = "composer-text"
#: How much of the form and of the first material ChatMusician is shown as letters and motif.
MAX_LETTERS, MOTIF_BARS = 8, 2
_CHORD = re.compile(r'"[^"]*"')


def section_prompt(
    theme: Theme, format_name: str, plan: SectionPlan, earlier: Sequence[WrittenSection], opening: str, *, unit: Fraction
) -> Prompt:
    """The prompt after which a model of the given format writes the bars of `plan`, following `opening`."""
    if format_name == COMPOSER_TEXT:
        text = header_text(theme.key, theme.meter, unit, chords=True)
        for section in earlier:
            text += section_head(section.label, section.bars) + section.text + "\n"
        return composer_prompt(text + section_head(plan.label, plan.bars) + opening)
    head = f"X:1\nL:{unit}\nM:{theme.meter}\nK:{theme.key.abc()}\n"
    head += "".join(f"P:{section.label}\n{section.text}\n" for section in earlier) + f"P:{plan.label}\n{opening}"
    if format_name == "chatmusician":
        return chatmusician_prompt(musician_instruction(theme, earlier, unit=unit), prefill=head)
    if format_name in CHAT_FORMATS:
        return chat_prompt(format_name, [Message("user", _instruction(theme, plan))], prefill=head)
    return Prompt(head, special=False, add_bos=True)


def section_question(
    theme: Theme, plan: SectionPlan, bars: int, earlier: Sequence[WrittenSection], opening: str, *, unit: Fraction
) -> tuple[Message, ...]:
    """The same as a conversation, for a model whose answer cannot be begun: `bars` bars in all, `opening` among them."""
    head = f"M:{theme.meter}\nL:{unit}\nK:{theme.key.abc()}"
    shown = "".join(f"P:{section.label}\n{section.text}\n" for section in earlier)
    task = [
        _instruction(theme, plan),
        f"Write section {plan.label} of it: exactly {bars} bars, one voice, no repeats, each bar closed by |, a chord symbol in "
        'double quotes such as "Am" before the first note of each bar. Answer with the line of music only.',
        f"The head is:\n{head}",
    ]
    if shown:
        task.append(f"These sections stand already; section {plan.label} belongs to them:\n{shown.rstrip()}")
    if opening:
        task.append(f"The section begins with these bars; go on after them:\n{opening}")
    system = "You are a composer who writes ABC notation. You answer with ABC notation and nothing else."
    return Message("system", system), Message("user", "\n".join(task))


def musician_instruction(theme: Theme, earlier: Sequence[WrittenSection], *, unit: Fraction) -> str:
    """A sentence that ChatMusician was taught with: by form for the first material, by motif and form for later ones."""
    letters = "".join(section.label for section in theme.form)[:MAX_LETTERS]
    if earlier:
        motifs = [_CHORD.sub("", bar) for bar in earlier[0].text.split("|")[:MOTIF_BARS] if bar]
        quoted = ", ".join(f"'{motif}'" for motif in motifs)
        return (
            "Create music by following the alphabetic representation of the assigned musical structure and the given motif.\n"
            f"'{letters}';X:1\nL:{unit}\nM:{theme.meter}\nK:{theme.key.abc()}\n[{quoted}]"
        )
    forms = "'Binary'" if len(set(letters)) < 3 else "'Binary', 'Sectional: Verse/Chorus'"
    return f"Produce music in compliance with the outlined musical setup in language.\n{forms}"


def _instruction(theme: Theme, plan: SectionPlan) -> str:
    """An imperative sentence, as the models of this kind were taught with."""
    words = ", ".join(dict.fromkeys((*theme.styles, *theme.mood)))
    character = f" The section is {plan.character}." if plan.character else ""
    return (
        f"Develop a musical piece in ABC notation with chord symbols, influenced by {words}, in the key of {theme.key}, "
        f"metre {theme.meter}, with sections of {plan.bars} bars.{character}"
    )
