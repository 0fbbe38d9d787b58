"""Files named on a command line, of which `-` is standard input or standard output.

with reading(Path("-")) as file:
    text = file.read()
"""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

STANDARD = "-"


def is_standard(path: Path | str | None) -> bool:
    """Whether `-` was named. As an input, a file of that very name wins (`reading`)."""
    return str(path) == STANDARD


def reading(path: Path) -> AbstractContextManager[BinaryIO]:
    """A file's bytes, or those of standard input, which is left open. Raises OSError."""
    if is_standard(path) and not os.path.lexists(path):
        return nullcontext(sys.stdin.buffer)
    return path.open("rb")
