"""Recognition as a stream: windows of a recording of any length, and what they come to over the whole of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.events.features import LogMel, pieces
from llm_music_gen.describing.events.labels import CHILDREN, LABELS, SCENES, with_parents
from llm_music_gen.describing.events.model import (
    HOP_FRAMES,
    MELS,
    OUTPUTS,
    SAMPLE_RATE_HZ,
    STEP_FRAMES,
    WINDOW_FRAMES,
    EventModel,
    SoundscapeEvents,
    Span,
    Window,
)
from llm_music_gen.errors import ModelError

FRAME_S = HOP_FRAMES / SAMPLE_RATE_HZ
#: Samples taken at once, and windows shown to the model at once.
_PIECE_FRAMES, _BATCH = 1 << 18, 8
#: The surest part of the windows counts for the whole: a voice now and then is in the recording too.
SUREST_SHARE = 0.3


def recognise(blocks: Iterable[NDArray[np.float32]], sample_rate_hz: int, model: EventModel) -> Iterator[Window]:
    """The windows of a recording given as blocks of shape (n, channels), in order, each as soon as it is known. Memory does not
    grow with the length. The last window lies at the very end; what is shorter than a window is filled up by repeating it.
    Raises SoundError for an impossible sample rate and ModelError where the model fails."""
    held = np.zeros((0, MELS), dtype=np.float32)
    first = due = 0  # index of the first held frame, and of the next window's first
    for frames in _frames(blocks, LogMel(sample_rate_hz)):
        held = np.concatenate([held, frames])
        starts = list(range(due, first + len(held) - WINDOW_FRAMES + 1, STEP_FRAMES))
        yield from _windows(held, first, starts, model)
        due += len(starts) * STEP_FRAMES
        # A whole window is kept for the last one, that ends with the sound.
        drop = max(0, min(due - first, len(held) - WINDOW_FRAMES))
        first, held = first + drop, held[drop:]
    length = first + len(held)
    if 0 < length < WINDOW_FRAMES:
        filled = np.take(held, np.arange(WINDOW_FRAMES) % length, axis=0)
        answer = _checked(model.probabilities(filled[None]), 1)
        yield Window(0.0, length * FRAME_S, answer[0])
    elif length and length - WINDOW_FRAMES > due - STEP_FRAMES:
        yield from _windows(held, first, [length - WINDOW_FRAMES], model)


def _frames(blocks: Iterable[NDArray[np.float32]], mel: LogMel) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        for piece in pieces(block, _PIECE_FRAMES):
            yield mel.push(piece)
    yield mel.finish()


def _windows(held: NDArray[np.float32], first: int, starts: list[int], model: EventModel) -> Iterator[Window]:
    for at in range(0, len(starts), _BATCH):
        batch = starts[at : at + _BATCH]
        shown = np.stack([held[start - first : start - first + WINDOW_FRAMES] for start in batch])
        for start, answer in zip(batch, _checked(model.probabilities(shown), len(batch)), strict=True):
            yield Window(start * FRAME_S, (start + WINDOW_FRAMES) * FRAME_S, answer)


def _checked(answer: NDArray[np.float32], windows: int) -> NDArray[np.float32]:
    """The answer, if it is one: a model may be anybody's."""
    answer = np.asarray(answer, dtype=np.float32)
    if answer.shape != (windows, OUTPUTS) or not np.isfinite(answer).all():
        raise ModelError(
            f"The event model answered with numbers of shape {answer.shape}, not ({windows}, {OUTPUTS}), or not with numbers.",
            hint="docs/guide/ears.md says what such a model takes and gives.",
        )
    return np.clip(answer, 0.0, 1.0)


def overall(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Windows of shape (n, OUTPUTS) -> the whole recording, shape (OUTPUTS,): of a label the mean of its surest windows (what
    sounds now and then is in the recording too), of silence and the scenes the mean of all."""
    surest = max(1, round(SUREST_SHARE * len(probabilities)))
    out = np.sort(probabilities, axis=0)[-surest:].mean(axis=0)
    plain = [LABELS.index("Silence"), *range(len(LABELS), OUTPUTS)]
    out[plain] = probabilities[:, plain].mean(axis=0)
    return np.asarray(out, dtype=np.float32)


def summary(windows: Iterable[Window], model: EventModel) -> SoundscapeEvents:
    """What the windows of a recording come to. A parent is never less likely than its child. No windows: nothing is heard."""
    listed = list(windows)
    if not listed:
        even = 1 / len(SCENES)
        return SoundscapeEvents(dict.fromkeys(LABELS, 0.0), (), dict.fromkeys(LABELS, 0.0), dict.fromkeys(SCENES, even))
    answers = np.stack([window.probabilities for window in listed])
    for _ in range(3):  # as deep as the hierarchy is
        for parent, children in CHILDREN.items():
            columns = [LABELS.index(one) for one in (parent, *children)]
            answers[:, columns[0]] = answers[:, columns].max(axis=1)
    whole = overall(answers)
    labels = {label: float(whole[column]) for column, label in enumerate(LABELS)}
    over = with_parents({label for label in LABELS if labels[label] >= model.thresholds[label]})
    heard = tuple(sorted(over, key=lambda label: -labels[label]))
    active = answers[:, : len(LABELS)] >= np.array([model.thresholds[label] for label in LABELS], dtype=np.float32)
    scenes = whole[len(LABELS) :] / max(1e-6, float(whole[len(LABELS) :].sum()))
    spans = [span for label in heard for span in _spans(listed, answers[:, LABELS.index(label)], label, model)]
    return SoundscapeEvents(
        labels=labels,
        heard=heard,
        shares={label: float(active[:, column].mean()) for column, label in enumerate(LABELS)},
        scenes={scene: float(value) for scene, value in zip(SCENES, scenes, strict=True)},
        spans=tuple(sorted(spans, key=lambda span: (span.start_s, span.label))),
    )


def _spans(windows: Sequence[Window], likely: NDArray[np.float32], label: str, model: EventModel) -> Iterator[Span]:
    """Neighbouring windows over the threshold, joined. A window speaks for its middle, as far as to its neighbours'."""
    over = np.concatenate([[False], likely >= model.thresholds[label], [False]])
    edges = np.flatnonzero(over[1:] != over[:-1])
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        start = windows[first].start_s + (0.0 if first == 0 else (WINDOW_FRAMES - STEP_FRAMES) / 2 * FRAME_S)
        end = windows[after - 1].end_s - (0.0 if after == len(windows) else (WINDOW_FRAMES - STEP_FRAMES) / 2 * FRAME_S)
        yield Span(label, start, max(start, end), float(likely[first:after].mean()))
