"""The meter, ffmpeg's meter and AutoGain on the signals of EBU Tech 3341 and 3342 that can be synthesised."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from llm_music_gen.processing.measure import metered
from tests.unit.processing.ebu_checks import check, unlike_the_document
from tests.unit.processing.ebu_signals import RATE_HZ, SEGMENTS, SIGNALS, EbuSignal, Wanted, tones
from tests.unit.processing.sounds import audio_of

#: Not every signal comes to every target here; benchmarks/ebu_signals.py takes that time.
TARGETS = ((-23.0, -1.0), (-14.0, -1.0), (-6.0, -2.5))
#: The rest differs from these in lengths and levels only.
_QUICK = frozenset(("3341-6", "3341-9", "3341-10-7", "3341-12", "3341-13-5", "3341-14", *(f"3341-{n}" for n in range(15, 24))))
#: Of twenty files that differ in the length of a silence, these.
_SEGMENTS = ("-0", "-5", "-7", "-19")
_TAKEN = [signal for signal in SIGNALS if not signal.name.startswith(("3341-10-", "3341-13-")) or signal.name.endswith(_SEGMENTS)]


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize(
    "signal",
    [pytest.param(signal, id=signal.name, marks=[] if signal.name in _QUICK else pytest.mark.heavy) for signal in _TAKEN],
)
def test_both_meters_agree_before_and_after_auto_gain(signal: EbuSignal, tmp_path: Path) -> None:
    checked = check(signal, [TARGETS[SIGNALS.index(signal) % len(TARGETS)]], tmp_path)
    assert checked.faults == []
    assert len(checked.gained) == 1


@pytest.mark.parametrize("signal", [pytest.param(signal, id=signal.name) for signal in SIGNALS if signal.name in _QUICK])
def test_the_meter_shows_what_the_document_wants(signal: EbuSignal) -> None:
    samples = signal.make()
    assert unlike_the_document(signal, samples, metered(audio_of(samples, RATE_HZ, RATE_HZ))) == []


def test_a_meter_that_is_wrong_is_noticed() -> None:
    samples = tones([(-22.0, 4.0)])
    found = metered(audio_of(samples, RATE_HZ))
    signal = EbuSignal("", lambda: samples, Wanted(-23.0), Wanted(1.0), Wanted(-20.0), Wanted(-23.0), Wanted(-21.0))
    assert len(unlike_the_document(signal, samples, found)) == 5


def test_every_signal_that_numbers_define_is_there() -> None:
    documented = {f"3341-{number}" for number in (1, 2, 3, 4, 5, 6, 9, 11, 12, *range(14, 24))} | {
        f"3342-{n}" for n in range(1, 5)
    }
    repeated = {f"3341-{number}-{segment}" for number in (10, 13) for segment in range(SEGMENTS)}
    assert {signal.name for signal in SIGNALS} == documented | repeated
