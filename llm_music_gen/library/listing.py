"""Songs of the index as a sequence that reads only what is looked at, so that a library of any size opens at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import overload

from llm_music_gen.domain.song import Song

#: So many songs are read at once around the one that is asked for; a screen shows fewer.
PAGE_SONGS = 64


class Listing(Sequence[Song]):
    """The songs with these row numbers, in this order. `read` fetches some of them; a song that went meanwhile comes as None."""

    def __init__(self, rows: Sequence[int], read: Callable[[Sequence[int]], Sequence[Song | None]]) -> None:
        self._rows = rows
        self._read = read
        self._page: dict[int, Song | None] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Song]:
        for first in range(0, len(self._rows), PAGE_SONGS):
            yield from self[first : first + PAGE_SONGS]

    @overload
    def __getitem__(self, index: int) -> Song: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Song, ...]: ...
    def __getitem__(self, index: int | slice) -> Song | tuple[Song, ...]:
        """One song, or those of a slice that are still there. Raises IndexError where there is none."""
        if isinstance(index, slice):
            return tuple(song for song in self._read(self._rows[index]) if song is not None)
        place = range(len(self._rows))[index]
        if place not in self._page:
            first = place - place % PAGE_SONGS
            songs = self._read(self._rows[first : first + PAGE_SONGS])
            self._page = dict(enumerate(songs, first))
        song = self._page[place]
        if song is None:
            raise IndexError("this song is not in the library any more")
        return song
