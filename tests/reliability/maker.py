"""`python -m tests.reliability.maker HOME`: makes the short track that is planned there, in an interpreter of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.reliability.track import make_it, short_pieces

if __name__ == "__main__":
    short_pieces(pytest.MonkeyPatch())
    make_it(Path(sys.argv[1]).resolve())
