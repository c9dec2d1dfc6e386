"""Opens an address under the house's rules: https only (http on this computer), few redirects, a token for its own host alone."""

from __future__ import annotations

import http.client
import urllib.request
from email.message import Message
from typing import IO, cast
from urllib.parse import urlsplit

from llm_music_gen import __version__
from llm_music_gen.errors import DownloadError

#: A server that says nothing for so long is given up, and asked again.
SILENCE_S = 20.0
MAX_REDIRECTS = 5
_OWN_HOSTS = ("127.0.0.1", "localhost", "::1")


def check_address(address: str) -> None:
    """Raises DownloadError for what is neither https nor this computer."""
    try:
        parts = urlsplit(address)
        known = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _OWN_HOSTS)
        if known and parts.hostname and address.isascii():
            return
    except ValueError:
        pass  # no address at all, said below
    raise DownloadError(f"{address[:200]} is not an https address, and nothing is fetched from others.")


def open_address(
    address: str, *, offset: int = 0, validator: str = "", token: str = "", silence_s: float = SILENCE_S
) -> http.client.HTTPResponse:
    """The answer to a GET, from byte `offset` on if the server can. Close it.

    `validator` is the ETag of what is there already: the server sends all of a file that has another by now.

    Raises DownloadError for a forbidden address, urllib.error.HTTPError for a refusal, OSError and HTTPException otherwise.
    """
    check_address(address)
    request = urllib.request.Request(
        address, headers={"User-Agent": f"llm-music-gen/{__version__}", "Accept-Encoding": "identity"}
    )
    if offset:
        request.add_header("Range", f"bytes={offset}-")
        if validator:
            request.add_header("If-Range", validator)
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    handlers: list[urllib.request.BaseHandler] = [_CarefulRedirects(token)]
    if urlsplit(address).hostname in _OWN_HOSTS:
        handlers.append(urllib.request.ProxyHandler({}))
    return cast(http.client.HTTPResponse, urllib.request.build_opener(*handlers).open(request, timeout=silence_s))


class _CarefulRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects, never to a worse kind of address; the token stays with the host that it is for."""

    max_redirections = MAX_REDIRECTS

    def __init__(self, token: str) -> None:
        self._token = token

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        check_address(newurl)
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if new.hostname in _OWN_HOSTS and old.hostname not in _OWN_HOSTS:
            raise DownloadError(f"{old.hostname} sent the download to an address on this computer; it is not followed.")
        request = super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]
        if request is not None and self._token and (old.scheme, old.netloc) == (new.scheme, new.netloc):
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        return request
