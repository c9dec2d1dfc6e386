"""What fuzzing found worth keeping is read as it should be, on every computer and without atheris."""

from __future__ import annotations

import pytest

from tests.fuzzing.targets import CORPUS, MOST_BYTES, MOST_FILES, TARGETS


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_every_reader_bears_its_corpus(name: str) -> None:
    target, kept = TARGETS[name], sorted((CORPUS / name).iterdir())
    assert kept, f"the corpus of {name} is missing"
    for data in [*list(target.seeds())[::8], *(file.read_bytes() for file in kept)]:
        try:
            target.run(data)
        except Exception as error:
            error.args = (f"{data[:400]!r}: {error}", *error.args[1:])
            raise


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_corpus_stays_small(name: str) -> None:
    sizes = [file.stat().st_size for file in (CORPUS / name).iterdir()]
    assert len(sizes) <= MOST_FILES and sum(sizes) <= MOST_BYTES
