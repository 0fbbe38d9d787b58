"""Words with numbers in front of them."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """A number of things: `1 step`, `2 steps`, `0 steps`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
