"""The names of what can be heard: SoundSCaper's 15 events and 3 scenes, and which name takes in which."""

from __future__ import annotations

from collections.abc import Collection

#: In the order of the columns of a model's answer.
LABELS = (
    "Silence",
    "Human sounds",
    "Wind",
    "Water",
    "Natural sounds",
    "Traffic",
    "Sounds of things",
    "Vehicle",
    "Bird",
    "Outside, rural or natural",
    "Environment and background",
    "Speech",
    "Music",
    "Noise",
    "Animal",
)
#: The columns after those of the events.
SCENES = ("public_square", "park", "street_traffic")

#: Parent -> children, after AudioSet's ontology, where the 15 come from. What is a child is its parents too.
CHILDREN: dict[str, tuple[str, ...]] = {
    "Human sounds": ("Speech",),
    "Natural sounds": ("Wind", "Water"),
    "Animal": ("Bird",),
    "Sounds of things": ("Vehicle",),
    "Vehicle": ("Traffic",),
    "Environment and background": ("Noise", "Outside, rural or natural"),
}


def with_parents(labels: Collection[str]) -> frozenset[str]:
    """The labels and everything that takes them in: Traffic is Vehicle is Sounds of things."""
    out = set(labels)
    while more := {parent for parent, children in CHILDREN.items() if out & set(children)} - out:
        out |= more
    return frozenset(out)
