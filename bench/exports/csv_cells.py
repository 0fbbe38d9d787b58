"""Text in CSV that a spreadsheet takes for text: names in records come from other people's files.

safe("=HYPERLINK(...)")      # "'=HYPERLINK(...)"
safe("-1.5"), safe(-1.5)     # as they are: numbers
"""

from __future__ import annotations

from typing import Any

from bench.exports.plain_text import plain

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""With these a cell is a formula to Excel, LibreOffice and Google Sheets; wide ones to Excel in Japanese."""


def safe(value: Any) -> Any:
    """The value, with an apostrophe before text that would be run as a formula, and no control characters."""
    if not isinstance(value, str):
        return value
    value = plain(value)
    if not value.lstrip(" ").startswith(STARTS):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
