"""`resume [KEY]`: goes on with tracks of hours that were interrupted, or lists them."""

from __future__ import annotations

import argparse
import json
import sys

from llm_music_gen.cli.options import add_cluster_option, open_studio
from llm_music_gen.errors import StudioError, UsageError


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("key", nargs="*", metavar="KEY", help="which ones (default: all, the oldest first)")
    parser.add_argument("--list", action="store_true", help="only say what waits")
    parser.add_argument("--drop", action="store_true", help="throw the named ones away instead")
    parser.add_argument(
        "--anyway", action="store_true", help="where the soundfont or engine has changed since: render all of it anew"
    )
    add_cluster_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object a track; progress goes to stderr")


def run(arguments: argparse.Namespace) -> int:
    """Finish the tracks one after the other; one that cannot go on does not stop the next."""
    from llm_music_gen.cli.follow import follow_songs
    from llm_music_gen.studio.cluster.joined import joined
    from llm_music_gen.studio.long.unfinished import facts

    with open_studio() as studio, joined(studio, "" if arguments.list or arguments.drop else arguments.cluster):
        waiting = {work.key: work for work in studio.unfinished()}
        for key in arguments.key:
            if key not in waiting:
                known = f"Waiting: {', '.join(waiting)}." if waiting else "No track waits."
                raise UsageError(f"There is no unfinished track {key!r}.", hint=known)
        chosen = [waiting[key] for key in dict.fromkeys(arguments.key)] or list(waiting.values())
        if arguments.list:
            for work in chosen:
                _tell(facts(work), as_json=arguments.json)
            if not chosen:
                print("Llm-Music-Gen: No track waits to be finished.", file=sys.stderr)
            return 0
        if arguments.drop:
            if not arguments.key:
                raise UsageError("Say which tracks to throw away.", hint='"llm-music-gen resume --list" names them.')
            for work in chosen:
                with work.claimed():
                    pass  # a track that is being made is not thrown away
                title = facts(work).get("title", work.key)
                work.throw_away()
                print(f'Llm-Music-Gen: "{title}" is thrown away.', file=sys.stderr)
            return 0
        if not chosen and not arguments.json:
            print("Llm-Music-Gen: No track waits to be finished.")
        codes = []
        for work in chosen:
            try:
                reports = studio.resume(work, anyway=arguments.anyway)
                codes.append(follow_songs(reports, f"unfinished {work.key}", as_json=arguments.json))
            except StudioError as error:  # one that cannot even be begun
                print(f"Llm-Music-Gen: {error}", file=sys.stderr)
                codes.append(error.exit_code)
        return max(codes, default=0)


def _tell(found: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    elif "error" in found:
        print(f"{found['key']}  cannot be read: {found['error']}")
    else:
        minutes = round(float(str(found["length_s"])) / 60)
        print(f'{found["key"]}  "{found["title"]}", {minutes // 60}:{minutes % 60:02d} h, {found["segments_done"]} segments')
