"""From what somebody asks for to files of a repository: names, links, quantizations, split models."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from llm_music_gen.errors import DownloadError, UsageError
from llm_music_gen.fetching.hub import HubFile, endpoint, is_repo
from llm_music_gen.fetching.known import Kind, Known, find_known, known
from llm_music_gen.fetching.remote import size_words

_SPLIT = re.compile(r"^(?P<stem>.+)-\d{5}-of-(?P<parts>\d{5})\.gguf$", re.IGNORECASE)
_QUANT = re.compile(r"(?:^|[.\-_])((?:I?Q\d\w*?|TQ\d_\d|BF16|F16|F32|MXFP4\w*?))(?=[.\-]|$)", re.IGNORECASE)
#: Letters that a file's name may hold on every system; names of devices are none on Windows.
_PLAIN_NAME = re.compile(r"^(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[\w+@()\[\]][\w .+@()\[\]=-]{0,150}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted, before the hub was asked."""

    entry: Known
    """A known thing, or one made up from a repository's name."""
    file: str = ""
    """A path in the repository, where one was named."""
    quant: str = ""

    @property
    def exact_files(self) -> tuple[str, ...]:
        """The paths in the repository, as far as they are certain without asking."""
        if self.file:
            return (self.file,)
        quant = self.quant or self.entry.default_quant
        names = tuple(name.format(quant=quant) if quant else name for name in self.entry.files)
        return names if all("{" not in name and "*" not in name for name in names) else ()


def read_wish(kind: Kind, text: str, quant: str = "") -> Wish:
    """What `text` asks for: a short name, OWNER/REPO, OWNER/REPO/FILE, or a link to one on the hub.

    Raises UsageError for what is none of these.
    """
    entry = find_known(kind, text)
    if entry is not None:
        if quant and kind != "model":
            raise UsageError(f"A {kind} has no quantizations.", hint="Leave --quant out.")
        return Wish(entry, quant=_spelled(quant, entry))
    if kind == "model":
        repo, file = _repo_and_file(text)
        if is_repo(repo) and (not file or file.lower().endswith(".gguf")):
            return Wish(Known("model", repo, repo, "see its page", repo=repo), file=file, quant=quant)
    names = ", ".join(other.name for other in known(kind))
    also = ", or OWNER/REPO, or OWNER/REPO/FILE.gguf" if kind == "model" else ""
    raise UsageError(f"There is no {kind} {text!r} to get.", hint=f"Known: {names}{also}.")


def choose_files(wish: Wish, files: Sequence[HubFile]) -> tuple[HubFile, ...]:
    """The files of the repository that are wanted; of a split model all parts. Raises DownloadError, UsageError."""
    by_path = {file.path: file for file in files}
    if wish.file:
        if wish.file not in by_path:
            raise DownloadError(f"{wish.entry.repo} has no file {wish.file}.", hint=_offer(files))
        return _all_parts(by_path[wish.file], files)
    if wish.entry.kind != "model":
        return tuple(_only_match(wish, pattern, files) for pattern in wish.entry.files)
    quant = wish.quant or wish.entry.default_quant
    models = _models(files)
    if not models:
        raise DownloadError(f"{wish.entry.repo} holds no GGUF files.", hint="Look for a repository whose name ends in -GGUF.")
    if quant:
        fitting = [file for file in models if quantization_in(file.path) == quant.upper()]
        if not fitting:
            raise DownloadError(f"{wish.entry.repo} has no {quant}.", hint=_offer(files))
    else:
        fitting = models
    if len(fitting) > 1:
        raise UsageError(f"{wish.entry.repo} has several.", hint=f"{_offer(files)} Choose with --quant, or name the file.")
    return _all_parts(fitting[0], files)


def quantization_in(name: str) -> str:
    """The quantization that a file's name tells, in capitals; "" if it tells none."""
    stem = name.rsplit("/", 1)[-1]
    split = _SPLIT.match(stem)
    found = _QUANT.findall(split["stem"] if split else stem.removesuffix(".gguf").removesuffix(".GGUF"))
    return found[-1].upper() if found else ""


def check_name(path: str) -> None:
    """Raises DownloadError for a path of the hub's that leads elsewhere or cannot be a file's name here."""
    *folders, name = path.split("/")
    astray = any(folder in ("", ".", "..") or "\\" in folder for folder in folders)
    if astray or not _PLAIN_NAME.match(name) or name.endswith((".", " ")):
        raise DownloadError(f"The file {name[:80]!r} cannot be called so here; fetch it with a browser and rename it.")


def _spelled(quant: str, entry: Known) -> str:
    """The quantization as the repository spells it."""
    return next((name for name in entry.sizes_bytes if name.lower() == quant.lower()), quant)


def _repo_and_file(text: str) -> tuple[str, str]:
    """("OWNER/REPO", "FILE or ''") of a name or a link."""
    path = text.strip()
    parts = urlsplit(path)
    if parts.scheme in ("http", "https"):
        if parts.netloc not in (urlsplit(endpoint()).netloc, "huggingface.co"):
            return "", ""
        path = re.sub(r"^([^/]+/[^/]+)/(?:resolve|blob|tree)/[^/]+/?", r"\1/", unquote(parts.path).strip("/"))
    pieces = path.strip("/").split("/")
    if len(pieces) < 2 or any(piece in ("", ".", "..") for piece in pieces):
        return "", ""
    return "/".join(pieces[:2]), "/".join(pieces[2:])


def _models(files: Sequence[HubFile]) -> list[HubFile]:
    """GGUF models; a split one is its first part with the size of all."""
    found: dict[str, HubFile] = {}
    for file in sorted(files, key=lambda file: file.path):
        if not file.path.lower().endswith(".gguf") or "mmproj" in file.path.lower():
            continue
        split = _SPLIT.match(file.path)
        stem = f"{split['stem']} {split['parts']}" if split else file.path
        first = found.get(stem)
        found[stem] = replace(first, size_bytes=first.size_bytes + file.size_bytes) if first else file
    return list(found.values())


def _all_parts(file: HubFile, files: Sequence[HubFile]) -> tuple[HubFile, ...]:
    split = _SPLIT.match(file.path)
    if split is None:
        return (file,)
    count = int(split["parts"])
    wanted = [f"{split['stem']}-{part:05d}-of-{count:05d}.gguf" for part in range(1, min(count, 999) + 1)]
    by_path = {other.path: other for other in files}
    missing = next((path for path in wanted if path not in by_path), None)
    if missing:
        raise DownloadError(f"The split model lacks its part {missing}.")
    return tuple(by_path[path] for path in wanted)


def _only_match(wish: Wish, pattern: str, files: Sequence[HubFile]) -> HubFile:
    found = [file for file in files if fnmatch.fnmatchcase(file.path, pattern)]
    if not found:
        raise DownloadError(f"{wish.entry.repo} has no file {pattern}.")
    return found[0]


def _offer(files: Sequence[HubFile]) -> str:
    """What a repository has, in a sentence."""
    offers = [f"{quantization_in(file.path) or file.path} ({size_words(file.size_bytes)})" for file in _models(files)[:30]]
    return f"It has {', '.join(offers)}." if offers else "It holds no GGUF files."
