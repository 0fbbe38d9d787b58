"""Text of others, such as names in a record, before it reaches a terminal."""

from __future__ import annotations

ESCAPED = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
"""Control characters of a command over several lines, as they are typed."""


def printable(text: str, kept: str = "") -> str:
    """The text with U+FFFD, or what `ESCAPED` has, for control characters, which could steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each in kept else ESCAPED.get(each, "\ufffd") for each in text
    )
