"""A tune in any case: a model of the user's own that fails is asked once more, and then the built-in composer writes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from llm_music_gen.composing.author import Author, NoTune, reason
from llm_music_gen.composing.tune import Tune, write_tune_by
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.domain.text_model import Exchange
from llm_music_gen.domain.theme import Theme
from llm_music_gen.errors import ModelError
from llm_music_gen.llm.registry import built_in_composer
from llm_music_gen.studio.writer_model import Writer, WriterModel


@dataclass(frozen=True, slots=True)
class WrittenTune:
    """A tune and how it came about."""

    tune: Tune
    """Its exchanges include those of attempts that failed."""
    writer: Writer
    """Who wrote it. Where it is not the one that was asked, whoever takes it closes it."""
    remark: str = ""
    """What to tell the user, or ""."""


def tune_by(theme: Theme, writer: Writer, *, seed: int, temperature: float) -> Work[WrittenTune]:
    """Write the tune of a theme. Yields "tune".

    Raises ModelError when the built-in composer itself fails, DependencyMissing without llama.cpp.
    """
    asked: list[Exchange] = []
    for attempt in range(writer.tries):
        yield Progress("tune", 0.0, writer.now)
        author: Author | None = None
        try:
            author = writer.author(temperature)
            yield Progress("tune", 0.0, writer.now)
            tune = yield from write_tune_by(author, theme, seed=seed + attempt)
        except ModelError as error:
            if writer.is_built_in:
                raise
            asked += author.exchanges if author is not None else ()
            writer.close()
            remark = f"{writer.name} failed ({reason(writer.name, error)}); the built-in composer wrote the tune."
            if isinstance(error, NoTune):  # it was asked three times
                break
        else:
            writer.tries = 2
            return WrittenTune(replace(tune, exchanges=(*asked, *tune.exchanges)), writer)
    writer.tries = 1  # for the next song, so that a batch does not wait for a silent server twice a song
    composer = WriterModel(built_in_composer(), writer.settings)
    yield Progress("tune", 0.0, remark)
    tune = yield from write_tune_by(composer.author(temperature), theme, seed=seed + 2)
    return WrittenTune(replace(tune, exchanges=(*asked, *tune.exchanges)), composer, remark)
