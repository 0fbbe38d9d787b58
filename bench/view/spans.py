"""Values with their ends, written: half a 95 % interval after ±, a range in brackets, both in cells.

plus_minus(Span(412.0, 387.0, 437.0)).text           # "412 ± 25"
span(Range(14.4, 12.2, 19.2))                        # "14 (12 to 19)"
"""

from __future__ import annotations

from string import ascii_uppercase

from bench.compare.across import Span
from bench.core.quantities import Range
from bench.view.content import Cell, Written
from bench.view.numbers import digits, ranged


def plus_minus(found: Span) -> Written:
    """`412 ± 25`, or the value and that its error is not known."""
    if found.low is None or found.high is None:
        return Written(f"{digits(found.value)} ± ?", found.value)
    return Written(f"{digits(found.value)} ± {digits((found.high - found.low) / 2, 2)}", found.value)


def times(ratio: Span | None) -> Cell:
    """`1.867 (1.600 to 2.178)`: a ratio with its interval, where it has one."""
    if ratio is None:
        return None
    if ratio.low is None or ratio.high is None:
        return Written(f"{ratio.value:.3f}", ratio.value)
    return Written(f"{ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f})", ratio.value)


def rank_of(rank: tuple[int, int] | None) -> str | None:
    """`1`, or `2-3` where intervals overlap."""
    return None if rank is None else "-".join(map(str, dict.fromkeys(rank)))


def letters_of(number: int) -> list[str]:
    """`A` to `Z`, then `AA`, `AB`, ..., as columns of a spreadsheet."""
    singles = list(ascii_uppercase)
    return (singles + [first + second for first in singles for second in singles])[:number]


def span(found: Range) -> str:
    """`1,430` for a point, `14 (12 to 19)` for a range, as many digits as the range allows."""
    return ranged(found.value, found.low, found.high)


def spanned(found: Range | None) -> Cell:
    """Cell of a range, sorted by its value."""
    return None if found is None else Written(span(found), found.value)


def value_and_ends(found: Range | None) -> tuple[Cell, Cell]:
    """Cells of a range: its value, and its ends beside it."""
    if found is None:
        return None, None
    value, _, ends = ranged(found.value, found.low, found.high).partition(" (")
    return Written(value, found.value), ends.removesuffix(")") or None
