"""The key of a server: read from the variable that the catalogue names, sent, and shown nowhere."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from bench.errors import EngineError

HIDDEN = "***"
LIKE_A_KEY = re.compile(r"(?i)(bearer\s+|api[_-]?key\W{1,4}|\bsk-)[^\s\"',}]+")
"""What a server or its log may print of a key, in whole or in part."""


@dataclass(frozen=True)
class ApiKey:
    """A key, or none. Its text is in no `repr`."""

    variable: str | None = None
    _value: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The header that carries it."""
        return {"Authorization": f"Bearer {self._value}"} if self._value else {}

    def scrubbed(self, text: str) -> str:
        """A text without the key, and without what looks like one."""
        without = text.replace(self._value, HIDDEN) if self._value else text
        return LIKE_A_KEY.sub(lambda found: found[1] + HIDDEN, without)


def key_from(variable: str | None) -> ApiKey:
    """The key in a variable; none where the catalogue names none. Raises EngineError(stage="load")."""
    if variable is None:
        return ApiKey()
    value = os.environ.get(variable, "").strip()
    if not value:
        raise EngineError(
            f"The variable {variable} is not set, and the catalogue names it for the server's key.",
            f"Set it: export {variable}=...",
            missing=True,
        )
    if not value.isascii() or not value.isprintable():
        raise EngineError(f"The key in {variable} has characters that no header can hold.", "Set it anew.")
    return ApiKey(variable, value)
