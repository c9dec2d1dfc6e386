"""The one file that knows both doors: without arguments the app opens, with arguments the command line answers."""

from __future__ import annotations

import sys


def main(arguments: list[str] | None = None) -> int:
    """Run the program. Returns the exit code: 0 well, 1 something failed, 2 wrong usage, 130 interrupted."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments:
        from llm_music_gen.cli.app import open_app

        return open_app()
    from llm_music_gen.cli.main import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
