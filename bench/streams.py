"""Standard input and output: `-` as the name of a file, and no secret in what is written.

with reading(Path("-")) as file:
    text = file.read()
mask_streams()                                          # once a process: a library's warning, a traceback
MaskedText(path.open("wb"), encoding="utf-8")           # a file in place of standard output
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from bench.core.secrets import masker

STANDARD = "-"


def is_standard(path: Path | str | None) -> bool:
    """Whether `-` was named. As an input, a file of that very name wins (`reading`)."""
    return str(path) == STANDARD


def reading(path: Path) -> AbstractContextManager[BinaryIO]:
    """A file's bytes, or those of standard input, which is left open. Raises OSError."""
    if is_standard(path) and not os.path.lexists(path):
        return nullcontext(sys.stdin.buffer)
    return path.open("rb")


class MaskedText(io.TextIOWrapper):
    """A text stream that masks each piece as it is written; the secrets are those of its beginning.

    `further` is done to each piece, too.
    """

    def __init__(
        self,
        buffer: Any,
        *,
        further: Callable[[str], str] = str,
        in_place_of: io.TextIOWrapper | None = None,
        **options: Any,
    ) -> None:
        super().__init__(buffer, **options)
        self._mask, self._further = masker(), further
        self._in_place_of = in_place_of  # which would close the buffer with its own end

    def write(self, text: str, /) -> int:
        """Write it masked; the number of its own characters."""
        super().write(self._further(self._mask(text)))
        return len(text)


def mask_streams() -> None:
    """Let this process' streams mask what is written, with `?` for what their encoding cannot express.

    There may be none, or a program's own in place. Click takes ASCII for a setting that was forgotten, and
    would write UTF-8 past the mask.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
        if type(stream) is io.TextIOWrapper:
            stream.flush()
            masking = MaskedText(
                stream.buffer,
                in_place_of=stream,
                encoding="utf-8" if codecs.lookup(stream.encoding).name == "ascii" else stream.encoding,
                errors="replace",
                line_buffering=name == "stderr" or stream.line_buffering,
                write_through=stream.write_through,
            )
            setattr(sys, name, masking)
