"""Asks a model server whether it is there, for people who have just typed its address."""

from __future__ import annotations

from llm_music_gen.errors import ModelError
from llm_music_gen.llm.openai_server import OpenAiServer

#: Listing its models takes a server no time, even while it writes.
PATIENCE_S = 8.0
#: How many models are named in the sentence.
MOST_NAMED = 4


def models_there(address: str) -> tuple[str, ...]:
    """Names of the models on a server. Raises UsageError for what is no address, ModelError for one that does not answer."""
    return OpenAiServer(address, silence_s=PATIENCE_S, answer_s=PATIENCE_S).models()


def server_sentence(address: str, model: str = "") -> str:
    """What one wants to know of a server before using it. `model` is the one that the settings name, "" for the first.

    Raises like `models_there`, and ModelError when the model is not there.
    """
    found = models_there(address)
    if not found:
        raise ModelError("The server answers, but it has no model.", hint="Load one there.")
    if model and model not in found:
        raise ModelError(f"The server answers, but it has no model {model!r}.", hint=f"It has {_listed(found)}.")
    count = "1 model" if len(found) == 1 else f"{len(found)} models"
    return f"The server answers. It has {count}: {_listed(found)}. {model or found[0]} would be asked."


def _listed(names: tuple[str, ...]) -> str:
    rest = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
