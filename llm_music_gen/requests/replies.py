"""What is said about a plan, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from llm_music_gen.requests.situation import Situation
from llm_music_gen.tools.plan import Call

_QUESTIONS = {
    "what": "What shall I do? For example: make it warmer, remove the hiss, -14 LUFS for YouTube; or name styles for new music.",
    "styles": "Which styles or moods? For example: Chill, Dubstep.",
    "frequency": "Which frequency? For example 528 Hz, A4=432 or om.",
    "length": "How long shall it be?",
    "which_file": "Which file? Name it, or open one first.",
    "confirm": "Shall I really do that?",
}


def reply_for(calls: Sequence[Call], notes: Sequence[str], at: Situation) -> str:
    """A few sentences: what will be done, then what is to be known about it."""
    sentences: list[str] = []
    doing = [call for call in calls if call.tool not in ("ask", "refuse")]
    if doing:
        sentences.append(f"Understood: {'; '.join(str(call) for call in doing)}.")
    sentences += [_sentence(note) for note in notes if note]
    for call in calls:
        if call.tool == "retune" and call.args.get("from_hz") and call.args.get("to_hz"):
            cents = 1200 * math.log2(call.args["to_hz"] / call.args["from_hz"])
            sentences.append(f"That is {cents:+.2f} cents; the length stays.")
        elif call.tool == "ask":
            question = _QUESTIONS.get(str(call.args.get("about")), "")
            if question not in sentences:
                sentences.append(question)
        elif call.tool == "refuse" and not notes:
            sentences.append(f"That is not possible here; the nearest is {call.args.get('offer')}.")
        elif (
            call.tool == "gain" and call.args.get("db", 0) > 0 and at.measurements.get("true_peak", -99.0) + call.args["db"] > -1
        ):
            sentences.append("That would go over full scale; add a limiter to be safe.")
    return " ".join(sentences)


def _sentence(note: str) -> str:
    text = note[:1].upper() + note[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."
