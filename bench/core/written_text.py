r"""A name or a secret as it may be written: plain, wrapped, as Markdown, pages or CSV have it.

    re.search(pattern('my_word "b"'), r"my\_word &quot;b&quot;")         # found

What is looked for is in whole documents, which have escaped it in their own ways.
"""

from __future__ import annotations

import re

MARKS = {
    '"': r"(?:\"{1,2}|&quot;|&#34;)",
    "'": "(?:'|&#x27;|&#39;)",
    "&": "(?:&amp;|&)",
    "<": "(?:&lt;|<)",
    ">": "(?:&gt;|>)",
    "\\": r"\\",
}
"""Marks that pages or CSV write otherwise."""


def pattern(text: str) -> str:
    """An expression for the text, with any space between words and a backslash where Markdown has one."""
    words = re.split(r"\s+", text)
    return r"\s+".join("".join(map(_character, word)) for word in words)


def _character(each: str) -> str:
    return each if each.isalnum() else rf"\\?{MARKS.get(each) or re.escape(each)}"
