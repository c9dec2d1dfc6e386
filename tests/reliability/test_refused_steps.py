"""R5 and R6: any single step that is done to a file may be refused, for want of room or of rights or because the disk fails."""

from __future__ import annotations

import errno
import hashlib
import sys
from pathlib import Path

import pytest

from tests.reliability.faults import RIGHTS, ROOM, Kind, Step, Watch, refuse
from tests.reliability.figures import Figure
from tests.reliability.scale import scaled
from tests.reliability.track import ended, failed, fresh, plan_in, resumed, short_pieces

linux = pytest.mark.skipif(sys.platform != "linux", reason="the trial finds out what is flushed by /proc")
Versions = dict[str, set[str]]


def steps_of(home: Path) -> tuple[list[Step], Versions]:
    """Every step of an undisturbed making, and the checksums that files got when they were moved to their names."""
    [plan] = (home / "data" / "unfinished").glob("*/recipe.json")
    versions: Versions = {str(plan): {_sha256(plan)}}

    def moved(step: Step) -> None:
        if step.kind == "replace":
            versions.setdefault(step.path, set()).add(_sha256(Path(step.path)))

    with pytest.MonkeyPatch.context() as patch:
        watch = Watch(patch, home, after=moved)
        assert not failed(home)
    return watch.steps, versions


def whole(home: Path, versions: Versions, wanted: dict[str, str]) -> bool:
    """Whether every file that stands under a final name is one that an undisturbed making wrote."""
    for path in (home / "data" / "unfinished").glob("*/**/*"):
        known = versions.get(str(path))
        if known and path.is_file() and not path.name.startswith("finished.") and _sha256(path) not in known:
            return False
    return all({path.name: _sha256(path) for path in song.iterdir()} == wanted for song in (home / "data" / "songs").glob("*"))


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A track in one format only, because it is made twice for each of its steps."""
    return plan_in(tmp_path_factory.mktemp("shorter") / "home", formats="mp3")


@pytest.fixture(scope="module")
def undisturbed(planned: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Checksums of its files when nothing is refused."""
    home = tmp_path_factory.mktemp("undisturbed") / "home"
    fresh(home, planned)
    with pytest.MonkeyPatch.context() as patch:
        short_pieces(patch)
        return resumed(home)


@linux
@pytest.mark.parametrize(
    ("fault", "number", "kinds", "for_good"),
    [
        ("ENOSPC", errno.ENOSPC, ROOM, True),
        ("EACCES", errno.EACCES, RIGHTS, False),
        ("EIO", errno.EIO, RIGHTS, False),
    ],
)
def test_any_single_step_may_fail(
    home: Path, planned: Path, undisturbed: dict[str, str], monkeypatch: pytest.MonkeyPatch,
    fault: str, number: int, kinds: frozenset[Kind], for_good: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr("llm_music_gen.disk.PAUSES_S", ())
    steps, versions = steps_of(home)
    candidates = [step.number for step in steps if step.kind in kinds]
    chosen = candidates[:: max(1, len(candidates) // scaled(10**6, 4))]
    bad = []
    for at in chosen:
        fresh(home, planned)
        met: list[Step] = []

        def fails(step: Step, at: int = at, met: list[Step] = met) -> None:
            if step.kind in kinds and (step.number >= at if for_good else step.number == at):
                met.append(step)
                refuse(step, number)

        with pytest.MonkeyPatch.context() as patch:
            Watch(patch, home, fails)
            sentence = failed(home)
        named = not sentence or str(home) in sentence
        right = whole(home, versions, undisturbed)
        if not (met and named and right and ended(home) == undisturbed):
            bad.append(f"{met[0] if met else at}: {sentence}")
    said = f"{len(chosen) - len(bad)} of {len(chosen)}" + (f"; {'; '.join(bad[:5])}" if bad else "")
    wanted, what = f"{len(chosen)} of {len(chosen)}", f"{fault} at each of {len(candidates)} steps"
    Figure("R5" if for_good else "R6", what, wanted, said, not bad).record()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
