"""Which sounds there are, what they are called, and which of them only the test hears."""

from __future__ import annotations

from training.ears import music, nature, people, town
from training.ears.shaping import Sound

#: kind -> (label, families to train with, families that only the test hears).
KINDS: dict[str, tuple[str, tuple[Sound, ...], tuple[Sound, ...]]] = {
    "wind": ("Wind", (nature.gusts, nature.leaves, nature.draught, nature.flutter, nature.moan), (nature.howl, nature.poplars)),
    "water": ("Water", (nature.stream, nature.fountain, nature.waves, nature.rain), (nature.cascade, nature.gurgle)),
    "bird": (
        "Bird",
        (nature.birdsong, nature.canaries, nature.birdsong, nature.crows, nature.flock, nature.doves),
        (nature.warblers, nature.cuckoos),
    ),
    "animal": (
        "Animal",
        (nature.dogs, nature.crickets, nature.frogs, nature.cattle, nature.insects),
        (nature.cicadas, nature.sheep),
    ),
    "traffic": ("Traffic", (town.road, town.far_road, town.busy_road), (town.wet_road, town.motorway)),
    "vehicle": ("Vehicle", (town.engine, town.aeroplane, town.horn_or_siren), (town.diesel, town.scooter)),
    "speech": ("Speech", (people.talk, people.babble, people.shouts), (people.vowels,)),
    "people": ("Human sounds", (people.steps, people.claps, people.laughter), (people.heels,)),
    "music": ("Music", (music.band_of_instruments, music.band_of_instruments, music.bells), (music.plucked, music.organ)),
    "things": ("Sounds of things", (town.clatter, town.tools), (town.glasses,)),
    "noise": ("Noise", (town.hiss, town.fan, town.hum), (town.band_noise, town.blower)),
}
