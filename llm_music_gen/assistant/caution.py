"""What is asked before it is done: deleting, and work that takes hours."""

from __future__ import annotations

from collections.abc import Iterable

from llm_music_gen.assistant.desk import Desk
from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.errors import StudioError
from llm_music_gen.tools.plan import Call

#: Seconds of work for a second of music, on a slow computer.
_WORK_PER_SECOND = 0.15
_LONG_WORK_S = 30 * 60
_YES = frozenset(
    ("yes", "y", "ok", "okay", "sure", "go", "go ahead", "do it", "please do", "yes please", "yep", "yeah", "of course")
)
_NO = frozenset(("no", "n", "no thanks", "stop", "don't", "do not", "cancel", "never mind", "nevermind", "leave it", "nope"))


def answer_of(words: str) -> bool | None:
    """Whether words are a yes or a no; None for anything else."""
    said = " ".join(words.casefold().replace(",", " ").strip(" .!?").split())
    return True if said in _YES else False if said in _NO else None


def question_before(calls: Iterable[Call], desk: Desk) -> str:
    """What is asked before these calls; "" where nothing needs to be."""
    questions = []
    work_s = 0.0
    for call in calls:
        if call.tool == "library" and call.args.get("action") == "remove":
            questions.append(f"Shall I move {_named(call, desk)} to the trash?")
        if call.tool in ("compose", "frequency"):
            work_s += _music_s(call, desk) * _WORK_PER_SECOND
    if work_s > _LONG_WORK_S:
        hours = work_s / 3600
        about = f"{hours:.1f} hours" if hours >= 1.5 else f"{round(work_s / 60, -1):.0f} minutes"
        questions.append(f"That may take about {about} on a slow computer. Shall I begin?")
    return " ".join(questions)


def _named(call: Call, desk: Desk) -> str:
    titles = []
    for name in call.args.get("songs") or ["last"]:
        try:
            titles.append(f'"{desk.song_named(str(name)).title}"')
        except StudioError:
            titles.append(f'"{name}"')
    return " and ".join(titles)


def _music_s(call: Call, desk: Desk) -> float:
    steps = call.args.get("steps_hz") or ()
    length_s = call.args.get("len_s") or (len(steps) * (call.args.get("step_s") or 600.0))
    length_s = length_s or float(parse_length(desk.studio.settings.song_length).max_s)
    return float(length_s) * int(call.args.get("n", 1))
