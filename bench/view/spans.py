"""Values with their ends, written: half a 95 % interval after ±, a range in brackets, both in cells.

plus_minus(Span(412.0, 387.0, 437.0)).text           # "412 ± 25"
span(Range(14.4, 12.2, 19.2))                        # "14.4 (12.2 to 19.2)"
"""

from __future__ import annotations

from string import ascii_uppercase
from typing import Protocol

from bench.view import numbers
from bench.view.content import Cell, Written


class ValueWithEnds(Protocol):
    """What a range, a span, an estimate and a ratio have in common."""

    @property
    def value(self) -> float:
        """The value."""

    @property
    def low(self) -> float | None:
        """Its lower end; `None` where that is not known."""

    @property
    def high(self) -> float | None:
        """Its upper end; `None` where that is not known."""


def plus_minus(found: ValueWithEnds) -> Written:
    """`412 ± 25`, or the value and that its error is not known."""
    return Written(numbers.plus_minus(found.value, found.low, found.high), found.value)


def by_width(found: ValueWithEnds | None) -> Cell:
    """Cell of a value alone, with the digits that its interval allows."""
    return None if found is None else Written(value_text(found), found.value)


def value_text(found: ValueWithEnds) -> str:
    """The same as a text for a sentence: `1,870`."""
    return numbers.by_width(found.value, found.low, found.high)


def ends(found: ValueWithEnds | None) -> str | None:
    """Cell of the interval alone: `1.60 to 2.18`; `None` for a point and without an interval."""
    return None if found is None else numbers.ends(found.value, found.low, found.high)


def rank_of(rank: tuple[int, int] | None) -> str | None:
    """`1`, or `2-3` where intervals overlap."""
    return None if rank is None else "-".join(map(str, dict.fromkeys(rank)))


def letters_of(number: int) -> list[str]:
    """`A` to `Z`, then `AA`, `AB`, ..., as columns of a spreadsheet."""
    singles = list(ascii_uppercase)
    return (singles + [first + second for first in singles for second in singles])[:number]


def span(found: ValueWithEnds) -> str:
    """`1,430` for a point, `14.4 (12.2 to 19.2)` for a range, as many digits as the range allows."""
    return numbers.ranged(found.value, found.low, found.high)


def spanned(found: ValueWithEnds | None) -> Cell:
    """Cell of a value with its interval, sorted by its value."""
    return None if found is None else Written(span(found), found.value)


def value_and_ends(found: ValueWithEnds | None) -> tuple[Cell, Cell]:
    """Cells of a value with its interval: its value, and its ends beside it."""
    return by_width(found), ends(found)
