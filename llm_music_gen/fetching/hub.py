"""What the Hugging Face hub holds: names, sizes and checksums of files. The one module that imports the hub's library.

Only looked up here; the bytes come by `transfer`. Nothing is sent but the question: telemetry is off, and a token is taken from
the environment alone (HF_TOKEN), never from files. HF_ENDPOINT names another hub.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from llm_music_gen import __version__
from llm_music_gen.errors import DownloadError
from llm_music_gen.fetching.remote import RemoteFile
from llm_music_gen.fetching.web import check_address

PUBLIC_HUB = "https://huggingface.co"
ENDPOINT_VARIABLE, TOKEN_VARIABLE = "HF_ENDPOINT", "HF_TOKEN"
#: Waits between attempts when the hub does not answer.
PAUSES_S = (1.0, 3.0)
MAX_FILES = 20_000
_REPO = re.compile(r"^[\w][\w.-]{0,95}/[\w][\w.-]{0,95}$", re.ASCII)
_SHA256, _SHA1 = re.compile(r"^[0-9a-f]{64}$"), re.compile(r"^[0-9a-f]{40}$")
_WHO = {"library_name": "llm-music-gen", "library_version": __version__}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a repository, as the hub lists it."""

    path: str
    size_bytes: int


def endpoint() -> str:
    """The hub that is asked. Raises DownloadError for an address that is not https."""
    address = (os.environ.get(ENDPOINT_VARIABLE) or PUBLIC_HUB).rstrip("/")
    check_address(address)
    return address


def token() -> str:
    """The user's token, "" without one."""
    return os.environ.get(TOKEN_VARIABLE, "").strip()


def page(repo: str) -> str:
    """Where a person can look at a repository's files."""
    return f"{endpoint()}/{repo}/tree/main"


def link(repo: str, path: str) -> str:
    """Where a person can fetch a file with a browser."""
    from urllib.parse import quote

    return f"{endpoint()}/{repo}/resolve/main/{quote(path)}"


def is_repo(name: str) -> bool:
    """Whether `name` has the form OWNER/REPO."""
    return _REPO.match(name) is not None and ".." not in name and "--" not in name


def list_files(repo: str, pauses_s: Sequence[float] = PAUSES_S) -> tuple[HubFile, ...]:
    """Every file of a repository. Raises DownloadError."""
    hub = _library()
    api = hub.HfApi(endpoint=endpoint(), token=token() or False, **_WHO)
    info = _ask(lambda: api.model_info(repo, files_metadata=True, timeout=20), repo, pauses_s)
    return tuple(HubFile(str(file.rfilename), int(file.size or 0)) for file in (info.siblings or ())[:MAX_FILES])


def locate(repo: str, path: str, pauses_s: Sequence[float] = PAUSES_S) -> RemoteFile:
    """One file with its size and checksum, at the version that is current now. Raises DownloadError."""
    hub = _library()
    address = hub.hf_hub_url(repo, path, endpoint=endpoint())
    found = _ask(
        lambda: hub.get_hf_file_metadata(address, token=token() or False, timeout=20, endpoint=endpoint(), **_WHO),
        repo,
        pauses_s,
        path,
    )
    etag = str(found.etag or "").lower()
    if found.commit_hash and _SHA1.match(str(found.commit_hash)):  # another version cannot come in between
        address = hub.hf_hub_url(repo, path, endpoint=endpoint(), revision=found.commit_hash)
    return RemoteFile(
        address=address,
        name=path.rsplit("/", 1)[-1],
        size_bytes=max(0, int(found.size or 0)),
        sha256=etag if _SHA256.match(etag) else "",
        git_sha1=etag if _SHA1.match(etag) else "",
    )


def _library() -> Any:
    """The hub's library, loaded when it is first needed."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # its transfer cannot be continued after a break
    import huggingface_hub

    return huggingface_hub


def _ask(question: Callable[[], T], repo: str, pauses_s: Sequence[float], path: str = "") -> T:
    """Ask, again where that may help, and put the library's errors into sentences."""
    from huggingface_hub import errors

    what = f"{repo}/{path}" if path else repo
    for pause_s in (*pauses_s, None):
        try:
            return question()
        except errors.GatedRepoError as error:
            raise DownloadError(
                f"{repo} is given only to people who have agreed to its terms.",
                hint=f"Agree on {endpoint()}/{repo} and put a token into the environment variable {TOKEN_VARIABLE}.",
            ) from error
        except errors.EntryNotFoundError as error:
            raise DownloadError(f"{repo} has no file {path}.", hint=f"See what it has: {page(repo)}") from error
        except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
            raise DownloadError(
                f"The hub knows no {repo}, or shows it only to some (then put a token into {TOKEN_VARIABLE})."
            ) from error
        except errors.OfflineModeIsEnabled as error:
            raise DownloadError("The network is switched off by HF_HUB_OFFLINE, so nothing can be fetched.") from error
        except errors.HFValidationError as error:
            raise DownloadError(f"{what!r} is no name that the hub could have.") from error
        except (errors.HfHubHTTPError, OSError, ValueError, _transport_error()) as error:
            code = getattr(getattr(error, "response", None), "status_code", 0)
            if code in (401, 403):
                raise DownloadError(
                    f"The hub shows {what} only to some (error {code}).", hint=f"A token goes into {TOKEN_VARIABLE}."
                ) from error
            if pause_s is None or (code and code < 500 and code != 429):
                why = f"it answered with error {code}" if code else "there is no connection, or its answer made no sense"
                raise DownloadError(f"The hub could not be asked about {what}: {why}.") from error
            time.sleep(pause_s)
    raise AssertionError("the loop ends by itself")


def _transport_error() -> type[Exception]:
    """What the library's own HTTP client raises; which client that is differs between versions."""
    from huggingface_hub import errors

    kind: type[Exception] = getattr(errors, "HTTPError", OSError)
    return kind
