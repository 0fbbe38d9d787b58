"""Text of others, such as names in a record, before it reaches a terminal."""

from __future__ import annotations


def printable(text: str, kept: str = "") -> str:
    """The text with U+FFFD in place of control characters, which could steer a terminal."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in kept else "\ufffd" for each in text)
