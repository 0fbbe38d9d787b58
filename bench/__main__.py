"""`python -m bench` and `joulebench`: the command line, or one sentence where this Python cannot run it."""

from __future__ import annotations

import sys

from bench import dependencies

INTERRUPTED = 130


def main() -> None:
    """Run the command line and end the process with its exit status, also where an interrupt comes early."""
    try:
        _run()
    except KeyboardInterrupt:  # while modules load; later ones end in the command line
        sys.stderr.write("Interrupted.\n")
        sys.exit(INTERRUPTED)


def _run() -> None:
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
