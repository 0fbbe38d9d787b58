"""`python -m bench` and `joulebench`: the command line, or one sentence where this Python cannot run it."""

from __future__ import annotations

import sys

from bench import dependencies


def main() -> None:
    """Run the command line and end the process with its exit status."""
    error = dependencies.old_python()
    if error is None:
        try:
            from bench import cli
        except ModuleNotFoundError as absent:
            error = dependencies.missing(absent, sys.argv[1:])
            if error is None:
                raise
        else:
            cli.main()
            return
    sys.stderr.write(f"Error: {error}\n")
    sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
