"""How many spoken commands are understood: 30 kinds through two synthetic voices, in noise 20 dB under the speech.

    python benchmarks/spoken_commands.py [VOICE...]

Right is what the studio plans the same for as for the words that were spoken; word for word is counted too. Sentences that are
no commands are spoken as well: they must not be taken for one.
Synthetic voices are not people; real ones with accents, rooms and microphones are understood less often.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from llm_music_gen.requests import Situation, plan_request
from llm_music_gen.voice.espeak import Espeak
from llm_music_gen.voice.grammar import PRONUNCIATIONS, commands
from llm_music_gen.voice.sphinx import Sphinx

VOICES = ("adam", "grace")
RATE_WPM, SNR_DB, GOAL = 140, 20.0, 0.85
COMMANDS = (
    "make a calm dubstep song at five hundred twenty eight hertz", "create some happy jazz music",
    "compose a sad piano piece in d minor",
    "write a slow waltz song for three minutes", "make a dark techno track at one hundred twenty beats per minute",
    "make a romantic tango song with a violin", "create a gentle lullaby song without the drums",
    "make a lofi song two minutes long", "generate a four hundred thirty two hertz tone for ten seconds",
    "generate pink noise for five minutes", "transpose it to g major", "put it in a minor", "take out the drums",
    "slow it down by ten percent", "make it warmer and louder", "remove the noise", "remove the hiss and the hum",
    "add some reverb", "turn it up by three decibels", "fade out over five seconds", "normalize it", "play it",
    "play the last song", "stop the music", "undo that", "list my songs", "describe the last song", "what key is it in",
    "show the history", "export it for youtube",
)  # fmt: skip
NO_COMMANDS = (
    "i would like to order a pizza with cheese", "the weather in london is rainy again today",
    "my brother bought a new bicycle yesterday", "please call the doctor before nine in the morning",
    "there are seven birds on the roof of our house",
)  # fmt: skip


def spoken(speaker: Espeak, text: str, voice: str, chance: np.random.Generator) -> NDArray[np.float32]:
    """What a microphone would give: mono at 16 kHz with noise."""
    speech = speaker.speak(text, voice, RATE_WPM)
    samples = resample_poly(speech.samples, 16_000, speech.sample_rate_hz).astype(np.float32)
    level = float(np.sqrt(np.mean(samples**2))) * 10 ** (-SNR_DB / 20)
    noisy: NDArray[np.float32] = samples + np.float32(level) * chance.standard_normal(len(samples)).astype(np.float32)
    return noisy


def planned(text: str) -> object:
    """What the studio would do."""
    calls = plan_request(text, Situation(file="song.wav")).calls
    return [call.as_json() for call in calls] if calls and calls[0].tool not in ("ask", "refuse") else text


def main() -> int:
    """Print each command that was misheard and the shares; 1 when the goal is missed."""
    speaker, listener, chance = Espeak(), Sphinx(commands, PRONUNCIATIONS), np.random.default_rng(8)
    voices = sys.argv[1:] or VOICES
    right = literal = taken = 0
    began, length_s = time.perf_counter(), 0.0
    for voice in voices:
        for text in (*COMMANDS, *NO_COMMANDS):
            samples = spoken(speaker, text, voice, chance)
            length_s += len(samples) / 16_000
            heard = listener.hear(samples, 0.0)
            words = heard[0].text if heard else ""
            sure = f" ({heard[0].confidence:.2f})" if heard else ""
            if text in NO_COMMANDS:
                taken += bool(words)
                print(f"{voice}: no command{sure}: {text!r} -> {words!r}")
            else:
                same = words == text or planned(words) == planned(text)
                right += same
                literal += words == text
                print(f"{voice}: {'right' if same else 'WRONG'}{sure}: {text!r} -> {words!r}", flush=True)
    count = len(COMMANDS) * len(voices)
    print(f"understood {right} of {count} ({right / count:.0%}), goal {GOAL:.0%}")
    print(f"word for word {literal} of {count} ({literal / count:.0%})")
    print(f"taken for a command though none: {taken} of {len(NO_COMMANDS) * len(voices)}")
    print(f"{(time.perf_counter() - began) / length_s:.2f} times the length of the speech")
    return 0 if right / count >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
