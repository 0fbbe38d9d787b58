"""Text of others in files of other programs, without the characters that steer a terminal.

plain("a\x1b[2J")             # "a\ufffd[2J"
json_text({"a": "\x9b"})      # the same value, its control characters escaped
"""

from __future__ import annotations

import json
import re
from typing import Any

CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""All control characters but tab and line ends, which cells may have."""


def plain(text: str) -> str:
    """The text with U+FFFD in place of control characters."""
    return CONTROLS.sub("\ufffd", text)


def json_text(value: Any, indent: int | None = None) -> str:
    """JSON whose other letters are as they are."""
    return CONTROLS.sub(
        lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, indent=indent, ensure_ascii=False)
    )
