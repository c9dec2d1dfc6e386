"""The assistant's work as a job of the queue: what takes long is done behind the screens, and survives them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from llm_music_gen.assistant.assistant import Assistant, Proposal
from llm_music_gen.domain.job import JobContext
from llm_music_gen.domain.progress import Work
from llm_music_gen.errors import StudioError, UsageError
from llm_music_gen.jobs.queue import JobQueue
from llm_music_gen.studio.studio import Studio
from llm_music_gen.tools.plan import Call

KIND = "assist"


def submit(queue: JobQueue, proposal: Proposal, conversation: str, roots: tuple[Path, ...] | None = None) -> str:
    """Queue what was proposed; returns the job's uid."""
    request = {
        "request": proposal.request, "calls": [call.as_json() for call in proposal.calls], "conversation": conversation,
        "roots": None if roots is None else [str(root) for root in roots],
    }  # fmt: skip
    title = proposal.request.strip() or "; ".join(call.tool for call in proposal.calls)
    return queue.submit(KIND, title[:120], request)


def assist(request: dict[str, Any], _context: JobContext) -> Work[dict[str, Any]]:
    """Carry out the `calls` of a `conversation`; the result holds the `answers`. A job whose every step failed has failed."""
    try:
        calls = tuple(Call(str(call["tool"]), dict(call["args"])) for call in request["calls"])
        words, conversation, roots = str(request["request"]), str(request["conversation"]), request.get("roots")
    except (KeyError, TypeError) as error:
        raise UsageError(f"The request cannot be understood ({error}).") from error
    with Studio.open() as studio:
        assistant = Assistant(studio, conversation, roots=None if roots is None else [Path(str(root)) for root in roots])
        assistant.desk.reach.heard(words)
        with closing(assistant.carry_out(Proposal(words, calls, ""))) as work:
            answers = yield from work
    if answers and all(answer.failed for answer in answers):
        raise StudioError(answers[0].text)
    return {"answers": [answer.as_json() for answer in answers]}
