"""`models list`, `models info NAME`, `models get NAME`: the language models on this computer, and more of them."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from llm_music_gen.cli.getting import add_get_options, get_or_list
from llm_music_gen.cli.options import open_studio

if TYPE_CHECKING:
    from llm_music_gen.llm.registry import ModelInfo

#: What each role is for, in words.
SUITS = {
    "composer-text": "tunes",
    "abc": "tunes (ABC notation)",
    "chat": "themes, and tunes where nothing better is there",
    "text": "tunes (it only continues text)",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="every GGUF file that was found, and what it suits")
    listing.add_argument("--json", action="store_true", help="print one JSON object a model")
    info = actions.add_parser("info", help="what one model is, as its file says")
    info.add_argument("model", metavar="NAME", help="a file, or part of a name from the list")
    info.add_argument("--json", action="store_true", help="print one JSON object")
    getting = actions.add_parser("get", help="fetch one: chatmusician, ilm3, OWNER/REPO or OWNER/REPO/FILE of the hub")
    add_get_options(getting)
    getting.add_argument("--quant", default="", metavar="Q", help="quantization, such as Q6_K (default: the one that is usual)")


def run(arguments: argparse.Namespace) -> int:
    """Print one line a model, all about one, or fetch one."""
    if arguments.action == "get":
        return get_or_list(arguments, "model")
    with open_studio() as studio:
        models = list(studio.models()) if arguments.action == "list" else [studio.model(arguments.model)]
    if arguments.json:
        for model in models:
            print(json.dumps(facts(model), ensure_ascii=False))
    elif arguments.action == "info":
        for name, value in facts(models[0]).items():
            if value not in ("", 0):
                print(f"{name.replace('_', ' '):<15} {value}")
    else:
        for model in models:
            print(_line(model))
        if not models:
            print("No models were found. Put a GGUF file into the folder models/.")
    return 0


def _line(model: ModelInfo) -> str:
    """A model in one line."""
    if model.problem:
        return f"{model.name}  ({model.source}) {model.problem}"
    told = [
        model.source,
        _size(model),
        model.quantization,
        model.architecture,
        f"{model.layers} layers",
        f"context {model.context_tokens}" if model.context_tokens else "context not said",
        f"template {model.template}",
    ]
    if model.files > 1:
        told.append(f"{model.files} files")
    return f"{model.name}  ({', '.join(told)}) for {SUITS.get(model.role or '', 'nothing here')}"


def facts(model: ModelInfo) -> dict[str, str | int]:
    """Everything a list or a program wants to know, by name."""
    return {
        "name": model.name,
        "path": str(model.path),
        "source": model.source,
        "architecture": model.architecture,
        "size": _size(model),
        "size_bytes": model.size_bytes,
        "files": model.files,
        "quantization": model.quantization,
        "parameters": model.parameters,
        "context_tokens": model.context_tokens,
        "layers": model.layers,
        "template": model.template,
        "role": model.role or "",
        "suits": SUITS.get(model.role or "", ""),
        "problem": model.problem,
    }


def _size(model: ModelInfo) -> str:
    size = model.size_bytes
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
