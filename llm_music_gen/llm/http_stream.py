"""One HTTP request whose answer is read while it comes, by a thread, so that whoever waits for it can leave at any moment.

A blocking read cannot be interrupted from its own thread. Here the caller hears something at least every `BEAT_S`, even from a
server that says nothing, and closing the iterator closes the connection at once.
"""

from __future__ import annotations

import contextlib
import http.client
import queue
import socket
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

#: The longest pause between two things that a caller hears.
BEAT_S = 0.25
#: Lines that may wait to be taken; a faster server is held back.
_MOST_WAITING = 256


@dataclass(frozen=True, slots=True)
class Head:
    """How an answer begins."""

    status: int
    content_type: str
    """In small letters."""


@dataclass(frozen=True, slots=True)
class Body:
    """A whole answer that is not a stream of events, or the rest of it that fits."""

    data: bytes


#: What comes in turn: a head, then lines of an event stream or one body; None while nothing comes.
Part = Head | Body | bytes | None


@dataclass
class HttpStream:
    """A request on its way. Iterate over `parts` once."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    silence_s: float
    """How long the other side may be silent before TimeoutError."""
    most_line_bytes: int
    most_body_bytes: int
    _parts: queue.Queue[Part | BaseException] = field(default_factory=lambda: queue.Queue(_MOST_WAITING), repr=False)
    _left: threading.Event = field(default_factory=threading.Event, repr=False)
    _socket: socket.socket | None = field(default=None, repr=False)

    def parts(self) -> Generator[Part, None, None]:
        """Head, then lines (b"" at the end) or a body, with None at every beat of silence in between.

        Raises OSError (TimeoutError after `silence_s`) and http.client.HTTPException.
        """
        threading.Thread(target=self._read, daemon=True).start()
        try:
            while True:
                try:
                    part = self._parts.get(timeout=BEAT_S)
                except queue.Empty:
                    yield None
                    continue
                if isinstance(part, BaseException):
                    raise part
                yield part
                if part == b"" or isinstance(part, Body):
                    return
        finally:
            self._leave()

    def _leave(self) -> None:
        """Close the connection, whatever the thread is waiting for."""
        self._left.set()
        connected = self._socket
        if connected is not None:
            with contextlib.suppress(OSError, ValueError):
                connected.shutdown(socket.SHUT_RDWR)

    def _read(self) -> None:
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(str(parts.hostname), parts.port, timeout=self.silence_s)
        try:
            connection.connect()
            self._socket = connection.sock
            if self._left.is_set():
                return
            connection.request(self.method, parts.path, self.body, dict(self.headers))
            response = connection.getresponse()
            head = Head(response.status, response.headers.get("Content-Type", "").lower())
            self._hand_over(head)
            if response.status != 200 or "event-stream" not in head.content_type:
                self._hand_over(Body(response.read(self.most_body_bytes)))
                return
            while not self._left.is_set():
                line = response.readline(self.most_line_bytes)
                self._hand_over(line)
                if not line:
                    return
        except (OSError, http.client.HTTPException) as error:
            self._hand_over(error)
        except (ValueError, AttributeError) as error:  # a TLS socket that is closed under its reader
            self._hand_over(OSError(str(error)))
        finally:
            connection.close()

    def _hand_over(self, part: Part | BaseException) -> None:
        while not self._left.is_set():
            with contextlib.suppress(queue.Full):
                self._parts.put(part, timeout=BEAT_S)
                return
