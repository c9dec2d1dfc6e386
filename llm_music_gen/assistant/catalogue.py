"""Every tool by its name on the wire: what plans, the command line, the chat and MCP may call."""

from __future__ import annotations

from dataclasses import replace

from llm_music_gen.assistant.toolbox import house, listening, making, melodies, sharing, speaking
from llm_music_gen.processing.registry import REGISTRY as AUDIO
from llm_music_gen.tools.plan import Registry
from llm_music_gen.tools.spec import Parameter, ToolSpec, tool

_DESK = ("desk",)
_READING = (
    listening.show_abc,
    listening.proof,
    listening.describe,
    listening.analyze,
    listening.history,
    speaking.transcribe,
    house.queue,
    house.play,
)
_MAKING = (
    making.compose,
    making.frequency,
    making.edit,
    making.remake,
    making.render_abc,
    melodies.transcribe_melody,
    sharing.export_youtube,
    speaking.speak,
)
_KEEPING = (house.library, house.job, house.set_)
_FILES = Parameter("files", "texts", [], "Names of the files; the current one where none is named.")


def undo(steps: int = 1) -> None:
    """Take back what was done last. Nothing is destroyed: songs go to the trash, files get the version before.

    steps: How many requests.
    """
    raise AssertionError("the assistant itself takes back")


def _with_files(spec: ToolSpec) -> ToolSpec:
    """An audio tool as those see it who do not hold the file in their hands."""
    named = any(parameter.name == "files" for parameter in spec.parameters)
    return spec if named else replace(spec, parameters=(_FILES, *spec.parameters))


STUDIO = Registry(
    (
        *(tool(function, skip=_DESK, reads_only=True) for function in _READING),
        *(tool(function, skip=_DESK) for function in (*_MAKING, *_KEEPING)),
        tool(undo),
    )
)
CATALOGUE = Registry((*STUDIO, *(_with_files(spec) for spec in AUDIO)))
