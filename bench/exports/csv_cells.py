"""Text in CSV that a spreadsheet takes for text: names in records come from other people's files.

safe("=HYPERLINK(...)")      # "'=HYPERLINK(...)"
safe("a; =1+1")              # "a;' =1+1": where lists are written with semicolons, cells end there
safe("-1.5"), safe(-1.5)     # as they are: numbers
"""

from __future__ import annotations

import re
from typing import Any

from bench.exports.plain_text import plain

FORMULA = r"[=+\-@＝＋－＠]"
"""With these a cell is a formula to Excel, LibreOffice and Google Sheets; wide ones to Excel in Japanese."""
BEGINS_AS_FORMULA = re.compile(rf" *(?:{FORMULA}|[\t\r\n])")
BEGINS_ANOTHER_CELL = re.compile(rf"[;\t\r\n](?=[ \"]*{FORMULA})")
"""One that splits at semicolons or tabs does so within quotes, too: there they do not begin a cell."""


def safe(value: Any) -> Any:
    """The value, with an apostrophe before text that would be run as a formula, and no control characters.

    It is so whether the spreadsheet splits lines at commas, semicolons or tabs.
    """
    if not isinstance(value, str):
        return value
    value = BEGINS_ANOTHER_CELL.sub(lambda found: f"{found[0]}'", plain(value))
    if not BEGINS_AS_FORMULA.match(value):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
