"""Standard MIDI files: the arrangement as a multi-track file, and the user's own read back. Only this module imports mido."""

from __future__ import annotations

import io
import math
from typing import Any

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import Arrangement, Marker, Part, PlayedNote
from llm_music_gen.errors import NotationError
from llm_music_gen.units import SAMPLE_RATE_HZ, TICKS_PER_QUARTER, gain_to_db, ql_to_seconds, ql_to_ticks

DRUM_CHANNEL = 9
MOST_BYTES = 8_000_000
MOST_NOTES = 400_000
MOST_SECONDS = 24 * 3600
_TAIL_S = 3.0


def write_midi(arrangement: Arrangement) -> bytes:
    """A format-1 file: tempo, metre, key and section names first, then a track a part with its name, program and level."""
    import mido

    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_QUARTER)
    file.tracks.append(_conductor(arrangement, mido))
    channels = iter([channel for channel in range(16) if channel != DRUM_CHANNEL] * (1 + len(arrangement.parts) // 15))
    for part in arrangement.parts:
        file.tracks.append(_track(part, DRUM_CHANNEL if part.is_drums else next(channels), arrangement, mido))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def read_midi(data: bytes, title: str = "") -> Arrangement:
    """The user's own file as an arrangement that can be played. Raises NotationError for what is broken or beyond all bounds."""
    import mido

    if len(data) > MOST_BYTES:
        raise NotationError(f"The MIDI file has {len(data)} bytes.", hint=f"{MOST_BYTES} are the most.")
    try:
        file = mido.MidiFile(file=io.BytesIO(data), clip=True)
    except (OSError, EOFError, ValueError, IndexError, KeyError, TypeError, OverflowError, mido.KeySignatureError) as error:
        raise NotationError(f"The file is not MIDI that can be read ({error or type(error).__name__}).") from error
    if file.ticks_per_beat <= 0:
        raise NotationError("MIDI files with SMPTE time are not understood.", hint="Save it with ticks per quarter note.")
    return _Reader(file, title).arrangement()


def _conductor(arrangement: Arrangement, mido: Any) -> Any:
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("track_name", name=_latin(arrangement.title)))
    track.append(mido.MetaMessage("set_tempo", tempo=round(60_000_000 / arrangement.quarter_bpm)))
    meter = arrangement.meter
    clocks = round(24 * float(meter.beat_ql))
    track.append(
        mido.MetaMessage("time_signature", numerator=meter.numerator, denominator=meter.denominator, clocks_per_click=clocks)
    )
    track.append(mido.MetaMessage("key_signature", key=_signature_name(arrangement.key)))
    now = 0
    for marker in arrangement.markers:
        at = ql_to_ticks(marker.onset_ql)
        track.append(mido.MetaMessage("marker", text=_latin(marker.name), time=at - now))
        now = at
    return track


def _track(part: Part, channel: int, arrangement: Arrangement, mido: Any) -> Any:
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("track_name", name=_latin(part.name)))
    if not part.is_drums and arrangement.a4_hz != 440.0:
        track.extend(_fine_tuning(channel, arrangement.a4_hz, mido))
    if part.bank:
        track.append(mido.Message("control_change", channel=channel, control=0, value=min(127, part.bank)))
    track.append(mido.Message("program_change", channel=channel, program=part.program))
    # General MIDI: 40 log10(value / 127) dB.
    volume = max(1, min(127, round(127 * 10 ** (min(0.0, part.gain_db) / 40))))
    for control, value in (
        (7, volume),
        (10, round(64 + 63 * part.pan)),
        (91, round(127 * part.reverb_send)),
        (93, round(127 * part.chorus_send)),
    ):
        track.append(mido.Message("control_change", channel=channel, control=control, value=max(0, min(127, value))))
    events: list[tuple[int, int, int, int]] = []
    for note, (start, end) in zip(part.notes, _spans(part), strict=True):
        events.append((start, 1, note.pitch, note.velocity))
        events.append((end, 0, note.pitch, 0))
    now = 0
    for at, kind, pitch, velocity in sorted(events):
        name = "note_on" if kind else "note_off"
        track.append(mido.Message(name, channel=channel, note=pitch, velocity=velocity, time=at - now))
        now = at
    return track


def _spans(part: Part) -> list[tuple[int, int]]:
    """Ticks of each note; one that is struck again while it sounds ends where the next begins, as MIDI wants it."""
    starts = [ql_to_ticks(note.onset_ql) for note in part.notes]
    ends = [max(start + 1, ql_to_ticks(note.onset_ql + note.duration_ql)) for note, start in zip(part.notes, starts, strict=True)]
    sounding: dict[int, int] = {}
    for index, note in enumerate(part.notes):
        if note.pitch in sounding and ends[sounding[note.pitch]] > starts[index]:
            earlier = sounding[note.pitch]
            ends[earlier] = max(starts[earlier] + 1, starts[index])
        sounding[note.pitch] = index
    return list(zip(starts, ends, strict=True))


def _fine_tuning(channel: int, a4_hz: float, mido: Any) -> list[Any]:
    """Registered parameter 1 (fine) and 2 (coarse tuning): other synthesizers follow as far as they can."""
    cents = 1200 * math.log2(a4_hz / 440.0)
    coarse = round(cents / 100)
    fine = max(0, min(16383, round(8192 + (cents - 100 * coarse) * 81.92)))
    pairs = [(101, 0), (100, 1), (6, fine >> 7), (38, fine & 127), (101, 0), (100, 2), (6, 64 + coarse), (101, 127), (100, 127)]
    return [mido.Message("control_change", channel=channel, control=control, value=value) for control, value in pairs]


def _signature_name(key: Key) -> str:
    """As mido wants it: modes are written as the major or minor key with the same signature."""
    for tonic_pc in range(12):
        other = Key.from_pc(tonic_pc, "minor" if key.is_minor else "major")
        if other.fifths == key.fifths:
            return other.tonic + ("m" if key.is_minor else "")
    return {7: "C#", -7: "Cb"}[key.fifths] if not key.is_minor else {7: "A#m", -7: "Abm"}[key.fifths]


def _latin(text: str) -> str:
    return text.encode("latin-1", "replace").decode("latin-1")


class _Reader:
    """Collects a foreign file's notes by channel; time in quarter lengths at its first tempo."""

    def __init__(self, file: Any, title: str) -> None:
        self._file = file
        self._title = title
        self._per_quarter = int(file.ticks_per_beat)
        self._tempos: list[tuple[int, float]] = []
        self._meter = Meter(4, 4)
        self._key = Key("C")
        self._markers: list[Marker] = []

    def arrangement(self) -> Arrangement:
        self._read_signs()
        quarter_bpm = min(400.0, max(20.0, self._tempos[0][1])) if self._tempos else 120.0
        parts, last_ql = self._parts(quarter_bpm)
        if not parts:
            raise NotationError("The MIDI file has no notes.")
        length_s = ql_to_seconds(last_ql, quarter_bpm) + _TAIL_S
        if length_s > MOST_SECONDS:
            raise NotationError("The MIDI file lasts longer than a day.")
        return Arrangement(
            title=self._title or "Untitled",
            key=self._key,
            meter=self._meter,
            tempo_bpm=quarter_bpm / float(self._meter.beat_ql),
            parts=tuple(parts),
            length_frames=math.ceil(length_s * SAMPLE_RATE_HZ),
            markers=tuple(self._markers),
        )

    def _read_signs(self) -> None:
        for track in self._file.tracks:
            now = 0
            for message in track:
                now += message.time
                if message.type == "set_tempo" and message.tempo > 0:
                    self._tempos.append((now, 60_000_000 / message.tempo))
                elif message.type == "time_signature" and now == 0 and 1 <= message.numerator <= 32:
                    self._meter = Meter(message.numerator, min(32, message.denominator))
                elif message.type == "key_signature" and now == 0:
                    self._key = Key.parse(message.key)
                elif message.type == "track_name" and not self._title:
                    self._title = message.name.strip()[:120]
        self._tempos.sort()

    def _parts(self, quarter_bpm: float) -> tuple[list[Part], float]:
        voices: dict[tuple[int, int, int], list[PlayedNote]] = {}
        settings: dict[tuple[int, int, int], tuple[float, float]] = {}
        names: dict[tuple[int, int, int], str] = {}
        count = 0
        for index, track in enumerate(self._file.tracks):
            now, name = 0, ""
            programs = dict.fromkeys(range(16), 0)
            levels = dict.fromkeys(range(16), (100, 64))
            sounding: dict[tuple[int, int], list[tuple[int, int]]] = {}
            for message in track:
                now += message.time
                if message.type == "track_name":
                    name = message.name.strip()[:60]
                elif message.type == "program_change":
                    programs[message.channel] = message.program
                elif message.type == "control_change" and message.control in (7, 10):
                    volume, pan = levels[message.channel]
                    levels[message.channel] = (message.value, pan) if message.control == 7 else (volume, message.value)
                elif message.type == "note_on" and message.velocity:
                    sounding.setdefault((message.channel, message.note), []).append((now, message.velocity))
                elif message.type in ("note_on", "note_off") and sounding.get((message.channel, message.note)):
                    start, velocity = sounding[message.channel, message.note].pop(0)
                    onset, end = self._ql(start, quarter_bpm), self._ql(now, quarter_bpm)
                    key = (index, message.channel, programs[message.channel])
                    voices.setdefault(key, []).append(PlayedNote(onset, max(0.02, end - onset), message.note, velocity))
                    volume, pan = levels[message.channel]
                    settings[key] = (40 / 20 * gain_to_db(max(1, volume) / 100), (pan - 64) / 64)
                    names[key] = name
                    count += 1
                    if count > MOST_NOTES:
                        raise NotationError(f"The MIDI file has more than {MOST_NOTES} notes.")
        parts = [
            Part(
                name=names[key] or f"Track {key[0]}",
                role="drums" if key[1] == DRUM_CHANNEL else "chords",
                program=key[2],
                notes=tuple(sorted(notes, key=lambda note: (note.onset_ql, note.pitch))),
                is_drums=key[1] == DRUM_CHANNEL,
                gain_db=settings[key][0],
                pan=max(-1.0, min(1.0, settings[key][1])),
            )
            for key, notes in sorted(voices.items())
        ]
        last = max((note.onset_ql + note.duration_ql for part in parts for note in part.notes), default=0.0)
        return parts, last

    def _ql(self, ticks: int, quarter_bpm: float) -> float:
        """Quarter lengths at the first tempo; passages at another tempo are stretched to last as long as they should."""
        out, now, bpm = 0.0, 0, quarter_bpm
        for at, tempo in self._tempos:
            if at >= ticks:
                break
            out += (at - now) / self._per_quarter * quarter_bpm / bpm
            now, bpm = at, min(400.0, max(20.0, tempo))
        return out + (ticks - now) / self._per_quarter * quarter_bpm / bpm
