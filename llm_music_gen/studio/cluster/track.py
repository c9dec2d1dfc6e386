"""The segments of one long track by other machines: what comes back is verified and filed exactly as what is rendered here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_music_gen import disk
from llm_music_gen.domain.machines import Machines
from llm_music_gen.jobs.spread import Call, spread
from llm_music_gen.sound.long.render import Elsewhere
from llm_music_gen.sound.long.store import SegmentRow, segment_name
from llm_music_gen.studio.cluster.admission import Admission
from llm_music_gen.studio.cluster.files import NeededFile
from llm_music_gen.studio.cluster.segments_there import SentSegment, TrackOrder, render_segment
from llm_music_gen.studio.recipe import Recipe
from llm_music_gen.studio.soundfont_facts import SoundfontFacts
from llm_music_gen.styles import Style


def segments_elsewhere(
    machines: Machines | None,
    folder: Path,
    recipe: Recipe,
    styles: Mapping[str, Style],
    soundfont: Path,
    facts: SoundfontFacts,
) -> Elsewhere | None:
    """Who renders the segments of a track in place of this computer, if anyone."""
    return None if machines is None else SegmentsElsewhere(machines, folder, recipe, styles, soundfont, facts)


@dataclass(frozen=True, slots=True)
class SegmentsElsewhere:
    """Renders segments on `machines`; see `sound.long.render.Elsewhere`."""

    machines: Machines
    folder: Path
    """The track's own, in which its segments wait."""
    recipe: Recipe
    styles: Mapping[str, Style]
    soundfont: Path
    facts: SoundfontFacts

    def __call__(self, missing: Sequence[int]) -> Iterator[SegmentRow | str | None]:
        """Rows as segments come back, sentences about workers, None now and then. Raises ClusterError, StorageError."""
        font = NeededFile.of("soundfont", self.soundfont, self.facts.sha256)
        named = {name: self.styles[name] for name in self.recipe.style_names if name in self.styles}
        order = TrackOrder(self.recipe.to_json(), named, font, self.recipe.theme.length_frames)
        calls = [Call(index, render_segment, (order, index)) for index in missing]
        admission = Admission({font: self.soundfont}, self.facts.fingerprint)
        return spread(self.machines, calls, admission, self._filed)

    def _filed(self, index: int, sent: object) -> SegmentRow | None:
        """The row of a segment that is what it says it is, once its file stands here; None for one that is damaged."""
        if not isinstance(sent, SentSegment) or sent.row.index != index:
            return None
        if hashlib.sha256(sent.data).hexdigest() != sent.row.sha256:
            return None
        path = self.folder / segment_name(index)
        try:
            disk.write_whole(path, sent.data)
        except OSError as error:
            raise disk.storage_error(path, error, needed_bytes=len(sent.data)) from error
        return sent.row
