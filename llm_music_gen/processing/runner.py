"""Carries out a plan on files: measures, applies the calls in order, writes beside the original, measures what was written.

Originals are only ever read.
"""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import StorageError, StudioError, UsageError
from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.auto.tools import AUTO_TOOLS
from llm_music_gen.processing.conversion import encoding_after
from llm_music_gen.processing.files import AudioFile, keep, opened
from llm_music_gen.processing.filters import checked_bands
from llm_music_gen.processing.levels import limit, normalize
from llm_music_gen.processing.measure import Measurement, measuring
from llm_music_gen.processing.registry import JOINING, LOOKING, REGISTRY
from llm_music_gen.processing.report import Failure, Report
from llm_music_gen.processing.stems import with_one_gain
from llm_music_gen.processing.writing import LOSSY, Encoding, fitted, write
from llm_music_gen.tools.plan import Call

SUFFIX = "-processed"
_OWN_SUFFIX = re.compile(re.escape(SUFFIX) + r"(-\d+)?$")
_MOST_NAMES = 10_000
#: Tools after which peaks are under a ceiling, and the argument that holds it.
_CEILINGS = {"normalize": "tp", "limit": "ceiling_db", "auto_gain": "tp", "auto_limiter": "ceiling_db"}
#: Where peaks would go beyond full scale although nobody spoke of peaks.
_GUARD_CEILING_DB = -0.3
_MOST_ROUNDS = 7
_LOUDNESS_ROUNDS = 3
#: A coder that takes more loudness than this away takes it from sounds that nobody hears.
_MOST_CORRECTION_LU = 1.0
_EXTRA_DB = 0.1
_TOLERANCE_LU = 0.08
_COMMON_KBPS = (64, 96, 128, 160, 192, 224, 256, 320)


def run(
    calls: Iterable[Call],
    files: Sequence[Path],
    output_dir: Path | None = None,
    *,
    together: bool = False,
    scratch_dir: Path | None = None,
) -> Work[list[Report | Failure]]:
    """Carry out the calls on every file; one that fails does not stop the rest. Tools that join files make one out of all.

    `together`: files are stems of one piece, and loudness is brought to its target for their sum, by one gain for all.
    `scratch_dir`: where temporary sound goes, about 1.3 GB for an hour of stereo; the system's own place where it is None.
    Raises UsageError for calls that make no sense, before anything is done.
    """
    checked = [_checked(call) for call in calls]
    if not files:
        raise UsageError("There is no file to process.")
    groups: list[tuple[Path, Sequence[Path]]] = [(file, ()) for file in files]
    if len(files) > 1 and any(call.tool in JOINING and not call.args.get("files") for call in checked):
        groups = [(files[0], files[1:])]
    elif together and len(files) > 1:
        checked = with_one_gain(checked, files)
    out: list[Report | Failure] = []
    for number, (file, others) in enumerate(groups):
        try:
            out.append((yield from _part_of(process(checked, file, others, output_dir, scratch_dir), number, len(groups))))
        except StudioError as error:
            if len(groups) == 1:
                raise
            out.append(Failure(file, str(error)))
    return out


def _checked(call: Call) -> Call:
    checked = REGISTRY.checked(call)
    if call.tool == "eq":
        return Call("eq", {"bands": checked_bands(checked.args["bands"])})
    return checked


def _part_of(work: Work[Report], number: int, count: int) -> Work[Report]:
    """Progress of one file as a part of that of all."""
    while True:
        try:
            report = next(work)
        except StopIteration as stop:
            result: Report = stop.value
            return result
        yield replace(report, detail={**report.detail, "file": number + 1, "files": count})


def process(
    calls: Sequence[Call],
    file: Path,
    others: Sequence[Path] = (),
    output_dir: Path | None = None,
    scratch_dir: Path | None = None,
) -> Work[Report]:
    """Carry out checked calls on one file. Yields progress of the stages measure, process, convert and check.

    Raises SoundError, StorageError, EncodingError, UsageError, DependencyMissing; nothing half-written stays.
    """
    source = opened(file)
    with tempfile.TemporaryDirectory(prefix="llm-music-gen-", dir=scratch_dir, ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        before = yield from measuring(source.audio, "measure", f"Measuring {file.name}")
        encoding = _encoding(source)
        audio, done, notes = yield from _applied(calls, source, others, scratch)
        for call in calls:
            encoding = encoding_after(call.args, encoding) if call.tool == "convert" else encoding
        audio, changed = fitted(audio, encoding)
        notes += changed
        aim = _aim(done)
        if (aim.ceiling_db is None and not encoding.floating) or (aim.ceiling_db is not None and encoding.audio_format in LOSSY):
            audio = yield from keep(audio, scratch)
        if aim.ceiling_db is None and not encoding.floating and _peak(audio) > 1.0:
            audio, aim = limit(audio, _GUARD_CEILING_DB), _Aim(_GUARD_CEILING_DB)
            notes.append(f"Peaks would have gone beyond full scale; they were limited to {_GUARD_CEILING_DB} dBTP.")
        output = free_name(file, encoding.suffix, output_dir)
        if encoding.suffix != file.suffix.lower() and not any(call.args.get("fmt") for call in done):
            notes.append(f"Files ending in {file.suffix or 'nothing'} are only read; the result is a {encoding.suffix} file.")
        after = yield from _written(audio, output, encoding, file, aim)
        audio = source.audio  # lets go of temporary files, which Windows does not delete while they are open
    return Report(file, output, tuple(done), before, after, tuple(dict.fromkeys([*source.notes, *notes])))


def _peak(audio: Audio) -> float:
    return max((float(np.abs(block).max(initial=0.0)) for block in audio.walk()), default=0.0)


def free_name(file: Path, suffix: str, output_dir: Path | None = None) -> Path:
    """Where the result goes: beside the original, named after it, under a name that nothing has yet.

    What was processed before is named after the first original: song-processed, song-processed-2 ...
    """
    folder = output_dir or file.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be made ({error.strerror or error}).", hint="Choose another with --output."
        ) from error
    stem = _OWN_SUFFIX.sub("", file.stem)
    for number in range(1, _MOST_NAMES):
        path = folder / f"{stem}{SUFFIX}{f'-{number}' if number > 1 else ''}{suffix}"
        if not path.exists():
            return path
    raise UsageError(f"{folder} already holds {_MOST_NAMES} versions of {stem}.", hint="Move some of them away.")


def without_results(files: Sequence[Path]) -> list[Path]:
    """The files that are no results of others among them."""
    stems = {file.stem for file in files}
    return [file for file in files if (stem := _OWN_SUFFIX.sub("", file.stem)) == file.stem or stem not in stems]


def _applied(
    calls: Sequence[Call], source: AudioFile, others: Sequence[Path], scratch: Path
) -> Work[tuple[Audio, list[Call], list[str]]]:
    """The audio behind all calls, the calls as they were carried out, and what is to be told."""
    audio = source.audio
    looks = any(_looks(call) for call in calls)
    # Decoding again and again is dearer than a temporary file.
    worked_out = source.audio_format not in LOSSY or not looks
    done: list[Call] = []
    notes: list[str] = []
    for number, call in enumerate(calls):
        if _looks(call) and not worked_out:
            audio = yield from keep(audio, scratch, _message(calls, number))
        arguments = _with_files(call, source.path, others)
        yield Progress("process", 0.0, _message(calls, number))
        audio, call, told = _carried_out(audio, call, arguments)
        notes += told
        done.append(call)
        worked_out = False
    return audio, done, notes


def _carried_out(audio: Audio, call: Call, arguments: dict[str, Any]) -> tuple[Audio, Call, list[str]]:
    """The sound behind a call, the call with what an automatic tool chose for itself, and why it did."""
    automatic = AUTO_TOOLS.get(call.tool)
    if automatic is None:
        return REGISTRY[call.tool].function(audio, **arguments), call, []
    choice = automatic.choose(audio, **arguments)
    return automatic.apply(audio, choice), Call(call.tool, choice.arguments()), [f"{call.tool}: {choice.reason}"]


def _looks(call: Call) -> bool:
    return call.tool in LOOKING or call.tool in AUTO_TOOLS


def _message(calls: Sequence[Call], number: int) -> str:
    return f"{calls[number].tool} ({number + 1} of {len(calls)})"


def _with_files(call: Call, source: Path, others: Sequence[Path]) -> dict[str, Any]:
    """The call's arguments; names of files are looked up beside the source."""
    if call.tool not in JOINING:
        return call.args
    named = [Path(name) for name in call.args.get("files") or []]
    if not named:
        return {**call.args, "files": [str(other) for other in others]}
    resolved = [path if path.is_absolute() or path.exists() else source.parent / path for path in named]
    # A list that begins with the file itself means the others.
    if resolved and resolved[0].exists() and resolved[0].samefile(source):
        resolved = resolved[1:]
    return {**call.args, "files": [str(path) for path in resolved]}


def _encoding(source: AudioFile) -> Encoding:
    """As the source is stored, or as near to it as can be written."""
    if source.audio_format not in LOSSY:
        return Encoding(source.audio_format, source.bits)
    measured = source.path.stat().st_size * 8 / 1000 / max(0.1, source.audio.length_s)
    return Encoding(source.audio_format, None, min(_COMMON_KBPS, key=lambda kbps: abs(kbps - measured)))


@dataclass(frozen=True, slots=True)
class _Aim:
    """What the finished file must keep to."""

    ceiling_db: float | None = None
    lufs: float | None = None

    def missed_by(self, after: Measurement) -> tuple[float, float]:
        """How far peaks are above the ceiling, and how much loudness is missing; 0 where all is well."""
        excess_db = 0.0 if self.ceiling_db is None else max(0.0, after.true_peak_dbtp - self.ceiling_db)
        missing_lu = 0.0 if self.lufs is None or not math.isfinite(after.lufs) else self.lufs - after.lufs
        return excess_db, missing_lu if abs(missing_lu) > _TOLERANCE_LU else 0.0


def _aim(calls: Sequence[Call]) -> _Aim:
    """What the last call for level promised, as far as nothing after it can have changed that."""
    loudness_stays = True
    for call in reversed(calls):
        if call.tool in _CEILINGS:
            lufs = _argument(call, "lufs") if call.tool in _LOUDNESS and loudness_stays else None
            return _Aim(_argument(call, _CEILINGS[call.tool]), lufs)
        if call.tool not in _PEAKS_STAY:
            break
        loudness_stays = loudness_stays and call.tool in _LOUDNESS_STAYS
    return _Aim()


def _argument(call: Call, name: str) -> float:
    value = call.args.get(name)
    return float(REGISTRY[call.tool].parameter(name).default if value is None else value)


_LOUDNESS = frozenset(("normalize", "auto_gain"))
_LOUDNESS_STAYS = frozenset(("reverse", "convert"))
_PEAKS_STAY = frozenset(("trim", "fade", "silence", "tremolo", "mono", *_LOUDNESS_STAYS))


def _written(audio: Audio, output: Path, encoding: Encoding, tags_of: Path, aim: _Aim) -> Work[Measurement]:
    """Write and measure what was written. Lossy coding moves peaks and loudness; the file is made again until both are right."""
    sound, sound_aim = audio, aim
    try:
        for number in range(_MOST_ROUNDS):
            yield from write(sound, output, encoding, tags_of)
            after = yield from measuring(opened(output).audio, "check", f"Checking {output.name}")
            excess_db, missing_lu = aim.missed_by(after)
            if (
                encoding.audio_format not in LOSSY
                or number == _MOST_ROUNDS - 1
                or not (excess_db or (missing_lu and number < _LOUDNESS_ROUNDS))
            ):
                break
            if number >= _LOUDNESS_ROUNDS:
                missing_lu = 0.0
            sound, sound_aim = _corrected(audio, sound_aim, excess_db * (1.0 + 0.5 * number), missing_lu)
    except BaseException:
        output.unlink(missing_ok=True)
        raise
    return after


def _corrected(audio: Audio, aim: _Aim, excess_db: float, missing_lu: float) -> tuple[Audio, _Aim]:
    """The sound for another round, and what it was aimed at."""
    ceiling_db = None if aim.ceiling_db is None else aim.ceiling_db - (excess_db + _EXTRA_DB if excess_db else 0.0)
    lufs = None if aim.lufs is None else aim.lufs + min(max(missing_lu, -_MOST_CORRECTION_LU), _MOST_CORRECTION_LU)
    aim = _Aim(ceiling_db, lufs)
    if lufs is not None and ceiling_db is not None:
        return normalize(audio, lufs, ceiling_db), aim
    return (audio if ceiling_db is None else limit(audio, ceiling_db)), aim
