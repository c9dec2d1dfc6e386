"""All tunes of all corpora in canonical form, without exact duplicates, and their split."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from training import abc_reader, mxl_reader
from training.families import Split, split
from training.score import LABELS, Tune, body_text

#: The collections of music21's own corpus that are used, in reading order.
FOLK_COLLECTIONS = ("oneills1850", "ryansMammoth", "airdsAirs", "miscFolk")
#: No tune is longer than this many characters after its header; later sections are left out.
MAX_BODY_CHARACTERS = 960


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from the corpora, and why the rest was left out."""

    tunes: tuple[Tune, ...]
    left_out: Counter[str]


def music21_corpus() -> Path:
    """The folder of music21's own corpus. Raises ModuleNotFoundError where music21 is not installed."""
    from importlib.util import find_spec

    spec = find_spec("music21")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("music21 is not installed; give the folder of its corpus with --folk")
    return Path(spec.origin).parent / "corpus"


def read(folk: Path, lead_sheets: Path | None) -> Reading:
    """Read the folk collections below `folk` and the `.mxl` lead sheets in `lead_sheets`."""
    tunes: list[Tune] = []
    left_out: Counter[str] = Counter()
    seen: set[str] = set()
    sources = [(name, abc_reader.read_collection(folk / name)) for name in FOLK_COLLECTIONS]
    if lead_sheets is not None:
        sources.append(("lead sheets", mxl_reader.read_folder(lead_sheets)))
    for name, found in sources:
        for tune, reason in found:
            if tune is None:
                left_out[f"{name}: {reason}"] += 1
                continue
            shortened = shorten(tune)
            text = body_text(shortened, chords=False)
            if text in seen:
                left_out[f"{name}: duplicate"] += 1
                continue
            seen.add(text)
            tunes.append(shortened)
    return Reading(tuple(tunes), left_out)


def shorten(tune: Tune) -> Tune:
    """The tune without the sections that would make it longer than `MAX_BODY_CHARACTERS`; at least one section stays."""
    from dataclasses import replace

    while len(tune.sections) > 1 and len(body_text(tune, chords=True)) > MAX_BODY_CHARACTERS:
        tune = replace(tune, sections=tune.sections[:-1])
    return replace(tune, sections=tune.sections[: len(LABELS)])


def read_and_split(folk: Path, lead_sheets: Path | None) -> tuple[Reading, Split]:
    """Everything the other steps start from."""
    reading = read(folk, lead_sheets)
    return reading, split(reading.tunes)
