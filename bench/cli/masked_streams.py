"""Standard output and errors without a secret, of a verb, a library or a traceback alike.

mask_streams()                                          # by `main`, once
MaskedText(path.open("wb"), encoding="utf-8")           # a file in place of standard output
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

from bench.core.secrets import masker


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
    """Let this process' streams mask what is written. There may be none, or a program's own in its place."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if type(stream) is io.TextIOWrapper:
            stream.flush()
            by_line = name == "stderr" or stream.line_buffering
            options = {"encoding": stream.encoding, "errors": "replace", "line_buffering": by_line}
            setattr(sys, name, MaskedText(stream.buffer, in_place_of=stream, **options))
