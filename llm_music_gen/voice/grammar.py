"""The commands that are understood when they are spoken, as a JSGF grammar made of the studio's own words.

JSGF: https://www.w3.org/TR/jsgf/. Words that the recogniser's dictionary lacks have a pronunciation here or are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from llm_music_gen.requests.words import words_of
from llm_music_gen.styles import load_styles

Knows = Callable[[str], bool]

#: Phones of CMUdict, as the English model has them, for words that its dictionary lacks.
PRONUNCIATIONS = {
    "dubstep": "D AH B S T EH P",
    "lofi": "L OW F AY",
    "mp": "EH M P IY",
    "synthwave": "S IH N TH W EY V",
    "chiptune": "CH IH P T UW N",
    "downtempo": "D AW N T EH M P OW",
    "techno": "T EH K N OW",
    "trance": "T R AE N S",
    "bossa": "B AA S AH",
    "nova": "N OW V AH",
    "hertz": "HH ER T S",
    "reverb": "R IY V ER B",
    "denoise": "D IY N OY Z",
    "undo": "AH N D UW",
    "binaural": "B AY N AO R AH L",
    "louder": "L AW D ER",
    "quieter": "K W AY AH T ER",
    "brighter": "B R AY T ER",
    "warmer": "W AO R M ER",
    "punchier": "P AH N CH IY ER",
    "hiss": "HH IH S",
    "retune": "R IY T UW N",
}
_MOODS = (
    "calm", "happy", "sad", "dark", "dreamy", "relaxing", "peaceful", "gentle", "slow", "fast", "short", "long", "epic",
    "energetic", "soft", "mellow", "romantic", "mysterious", "cheerful", "melancholic", "quiet",
)  # fmt: skip
_NOUNS = ("song", "track", "piece", "tune", "melody", "beat", "theme", "drone", "ballad", "loop")
_INSTRUMENTS = (
    "piano", "guitar", "bass", "drums", "strings", "violin", "cello", "flute", "harp", "organ", "trumpet", "saxophone",
    "clarinet", "choir", "bells", "synthesizer",
)  # fmt: skip
_CHANGES = (
    "warmer", "brighter", "darker", "louder", "quieter", "softer", "wider", "slower", "faster", "calmer", "shorter", "longer",
    "happier", "sadder", "higher", "lower", "punchier",
)  # fmt: skip
_FAULTS = ("hiss", "noise", "hum", "clicks", "rumble", "silence", "background noise", "harshness")
_ADDED = ("reverb", "echo", "delay", "chorus", "compression", "bass", "treble", "warmth")
_STUDIO = (
    "play it", "play the last song", "play the song", "stop", "stop the music", "undo", "undo that", "undo the last step",
    "list my songs", "show my songs", "show the library", "describe it", "describe the last song", "analyze it", "measure it",
    "show the notes", "show me the notation", "what is in the queue", "show the queue", "what key is it in", "how long is it",
    "how loud is it", "what is the tempo", "what did i do", "show the history", "make another one", "make it again",
    "make another song like the last one", "yes", "no", "cancel", "export it for youtube", "convert it to mp three",
    "convert it to wave", "check the last song", "what can you do", "help",
)  # fmt: skip


def commands(knows: Knows) -> str:
    """The grammar in JSGF with one public rule, in words for which `knows` is true."""

    def one_of(phrases: Iterable[str]) -> str:
        plain = dict.fromkeys(" ".join(words_of(phrase)) for phrase in phrases)
        return " | ".join(phrase for phrase in plain if phrase and all(knows(word) for word in phrase.split()))

    return f"""#JSGF V1.0;
grammar studio;
public <command> = [please] (<make> | <tone> | <edit> | <process> | <studio>) [please];
<make> = (make | create | compose | write | generate) [me] (a | some) [<mood>] <style> [<style>] <noun> [<detail>] [<detail>];
<mood> = {one_of(_MOODS)};
<style> = {one_of((*_style_names(), *_INSTRUMENTS[:2]))} ;
<noun> = ({one_of(_NOUNS)} | music | songs) ;
<detail> = at <number> hertz | in <key> | with (a | the) <instrument> [and <instrument>]
  | with <instrument> and <instrument> | without the <instrument>
  | at <number> beats per minute | for <number> minutes | <number> (minutes | seconds) long | for (sleeping | studying);
<tone> = (make | play | generate) [me] (a | an) <number> hertz (tone | drone | sine wave) [for <number> (seconds | minutes)]
  | (make | play | generate) (binaural beats at <number> hertz | (pink | white | brown) noise) [for <number> (seconds | minutes)];
<edit> = transpose (it | the last song) to <key> | (put | change) (it | the last song) (in | into | to) <key>
  | (take | leave) out the <instrument> | (remove | mute) the <instrument>
  | (slow it down | speed it up) by <number> percent | (retune | tune) it to <number> hertz;
<process> = make it [a little | a bit | much] <change> [and <change>] | (remove | reduce) the <fault> [and the <fault>]
  | add [some | a little | more] <added> | (turn it (up | down) | make it (louder | quieter)) by <number> decibels
  | fade (in | out) [over] <number> seconds | normalize it | trim the silence | make it mono;
<studio> = {one_of(_STUDIO)};
<instrument> = {one_of(_INSTRUMENTS)};
<change> = {one_of(_CHANGES)};
<fault> = {one_of(_FAULTS)};
<added> = {one_of(_ADDED)};
<key> = (a | b | c | d | e | f | g) [flat | sharp] (major | minor);
<number> = <hundreds> | <tens>;
<hundreds> = (<small> | a) hundred [[and] <tens>];
<tens> = <small> | ten | eleven | twelve | thirteen | fourteen | fifteen | sixteen | seventeen | eighteen | nineteen
  | (twenty | thirty | forty | fifty | sixty | seventy | eighty | ninety) [<small>];
<small> = one | two | three | four | five | six | seven | eight | nine;
"""


def _style_names() -> list[str]:
    """Every style as it is spoken. The other names of styles are left out: each makes all the rest harder to hear."""
    return [style.name.lower().replace("lo-fi", "lofi").replace("&", " and ") for style in load_styles().values()]
