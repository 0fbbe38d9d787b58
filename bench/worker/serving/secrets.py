"""The key of a server, and other secrets of this environment: sent where they belong, and shown nowhere.

key = key_from("VLLM_API_KEY")
key.headers                          # of a request
key.scrubbed(log)                    # a text without it, and without what looks like a secret
key.hidden({"extra": {...}})         # the same of values that go into a record
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any

from bench.core.secrets import HIDDEN, masked
from bench.errors import EngineError

LIKE_A_KEY = re.compile(
    r"(?i)(bearer\s+|(?:api[_-]?key|access[_-]?token|secret|password)\W{1,4}|\bsk-|\bhf_|://)"
    r"(?:(?<=://)[^\s/@:]+:[^\s/@]+(?=@)|(?<!://)[^\s\"',}]+)"
)
"""What a server or its log may print of a key, in whole or in part; of a URL, its user and password."""
SECRET_NAME = re.compile(r"(?i)api[_-]?key|secret|password|authorization|(access|auth|bearer|hf)[_-]?token")


@dataclass(frozen=True)
class ApiKey:
    """A key, or none. Its text is in no `repr`."""

    variable: str | None = None
    _value: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The header that carries it."""
        return {"Authorization": f"Bearer {self._value}"} if self._value else {}

    def without(self, text: str) -> str:
        """A text without the key and the secrets of this environment."""
        return masked(text.replace(self._value, HIDDEN) if self._value else text)

    def scrubbed(self, text: str) -> str:
        """A text without secrets, and without what looks like one."""
        return self.without(LIKE_A_KEY.sub(lambda found: found[1] + HIDDEN, text))

    def hidden(self, value: Any) -> Any:
        """Plain values without secrets, also those that have a name of one."""
        if isinstance(value, str):
            return self.scrubbed(value)
        if isinstance(value, dict):
            return {
                key: HIDDEN if SECRET_NAME.search(str(key)) else self.hidden(of) for key, of in value.items()
            }
        return [self.hidden(each) for each in value] if isinstance(value, list) else value


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
