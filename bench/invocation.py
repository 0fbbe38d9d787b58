"""The way in which this program was started, for hints that can be typed again.

    as_started("Run `python -m bench list`.")     # "Run `scripts/bench list`." where that was typed
    command_line()                                # "joulebench run --all", for other processes to read

Sentences are written with `python -m bench`; where they are printed, that becomes the name that was typed:
`scripts/bench` (by the variable `JOULEBENCH_PROGRAM`) or the console script `joulebench`. Imports only the
standard library.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

WRITTEN = "python -m bench"
CONSOLE_SCRIPT = "joulebench"
VARIABLE = "JOULEBENCH_PROGRAM"


def program() -> str:
    """The name that was typed: `scripts/bench`, `joulebench` or `python -m bench`."""
    stated = os.environ.get(VARIABLE, "")
    if stated.isprintable() and stated:
        return stated
    return CONSOLE_SCRIPT if Path(sys.argv[0]).stem == CONSOLE_SCRIPT else WRITTEN


def command_line() -> str:
    """The whole line of this process, in words that tell it from others: `pytest --energy-save=base`.

    Its program is `program()` for ours, else `python -m MODULE`, or the file's name without its folder.
    """
    first, *others = sys.argv or [""]
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    module = str(getattr(spec, "name", "") or "").removesuffix(".__main__")
    if module == "bench" or Path(first).stem == CONSOLE_SCRIPT:
        named = program()
    elif module:
        named = f"python -m {module}"
    else:
        named = f"python {first}".rstrip() if first in ("-c", "-", "") else Path(first).name
    return " ".join([named, *others])


def as_started(text: str) -> str:
    """A sentence with the name that was typed."""
    return text.replace(WRITTEN, program()) if WRITTEN in text else text
