"""Writes what the studio compares its songs with: statistics of the held-out tunes, and hashes of the training tunes.

The file holds shares and 32-bit hashes of runs of nine notes, sorted: which runs stand in one tune and in which order is gone, so
no tune can be read back from it. The hashes say whether a new tune has a passage of a training tune.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from llm_music_gen.domain.score import LeadSheet
from llm_music_gen.evaluating.melody import FIGURES, HISTOGRAMS, KINDS, fingerprints, melody_statistics
from llm_music_gen.evaluating.novelty import novelty
from training.evaluate import written_sections
from training.families import Split
from training.score import Tune, body_text


def sheet_of(tune: Tune) -> LeadSheet:
    """A corpus tune as the studio reads it."""
    text = body_text(tune, chords=tune.has_chords)
    sections = tuple(section for _, section in written_sections(text, tune.key, tune.meter, tune.unit) if section is not None)
    return LeadSheet(tune.title, tune.key, tune.meter, 100.0, sections)


def write_reference(tunes: Split, output: Path) -> str:
    """Write the .npz file; returns a line that says what is in it. The same split gives the same bytes."""
    known = known_fingerprints(tunes.training)
    sheets = [sheet_of(tune) for tune in tunes.held_out]
    measured = [(one, novelty(sheet, known)) for sheet in sheets if (one := melody_statistics(sheet)) is not None]
    arrays = {
        "kind": np.array([KINDS.index(one.kind) for one, _ in measured], dtype=np.uint8),
        "figures": np.array([[one.figures[name] for name in FIGURES] for one, _ in measured], dtype=np.float32),
        "novelty": np.array([[new.known_share, new.longest_known_notes] for _, new in measured], dtype=np.float32),
        "known_steps": np.diff(known, prepend=np.uint32(0)),
        "held_out_sha256": np.array(tunes.held_out_hash),
    }
    for name in HISTOGRAMS:
        arrays[name.replace(" ", "_")] = np.array([one.histograms[name] for one, _ in measured], dtype=np.float16)
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_name(f".{output.name}.tmp.npz")
    np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]
    temporary.replace(output)
    return f"{len(measured)} held-out tunes, {len(known)} fingerprints of {len(tunes.training)} training tunes: {output}"


def known_fingerprints(tunes: Sequence[Tune]) -> np.ndarray:
    """The different hashes of all runs of nine notes in these tunes, sorted."""
    return np.unique(np.concatenate([np.zeros(0, dtype=np.uint32), *(fingerprints(sheet_of(tune)) for tune in tunes)]))
