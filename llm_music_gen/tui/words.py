"""Small texts that several screens share: clocks, shortened names, bars as the user drew them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

BAR_PLACES = 30
MODEL_NAME_PLACES = 20


def clock(length_s: float) -> str:
    """MM:SS, or H:MM:SS from an hour on."""
    whole = max(0, int(length_s))
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 60:02d}:{whole % 60:02d}"


def long_clock(length_s: float) -> str:
    """HH:MM:SS."""
    whole = max(0, round(length_s))
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def bar(fraction: float, places: int = BAR_PLACES) -> str:
    """`[##########--------------------]`."""
    filled = math.floor(min(1.0, max(0.0, fraction)) * places + 1e-9)
    return f"[{'#' * filled}{'-' * (places - filled)}]"


def percent(fraction: float) -> int:
    """Whole percent; 100 only when all is done."""
    return math.floor(min(1.0, max(0.0, fraction)) * 100 + 1e-9)


def time_left(seconds: float) -> str:
    """As people say it: "about 3 minutes left"."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} seconds left"
    if seconds < 5400:
        return f"about {round(seconds / 60)} minutes left"
    return f"about {seconds / 3600:.1f} hours left"


def shortened(name: str, places: int = MODEL_NAME_PLACES) -> str:
    """At most `places` characters."""
    return name if len(name) <= places else name[: places - 1] + "…"


def names(titles: Iterable[str], room: int) -> str:
    """Titles separated by commas, as many as fit into `room` characters, then how many more there are."""
    every = list(titles)
    shown = ""
    for number, title in enumerate(every):
        longer = f"{shown}, {title}" if shown else title
        rest = len(every) - number - 1
        if len(longer) + (len(f" (+{rest})") if rest else 0) > room:
            if not shown:
                return shortened(title, max(1, room - len(f" (+{rest})"))) + (f" (+{rest})" if rest else "")
            return f"{shown} (+{rest + 1})"
        shown = longer
    return shown


def counted(number: int, noun: str) -> str:
    """`1 song`, `2 songs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def fraction_text(value: float) -> str:
    """0.8333 as 5/6."""
    exact = Fraction(value).limit_denominator(64)
    return str(exact) if abs(float(exact) - value) < 1e-4 else f"{value:g}"
