"""Numbers as a person reads them: as many digits as they are worth, and never a bare 0 for `not known`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from bench.core.figures import Estimate

NOT_KNOWN = "—"


def digits(value: float, significant: int = 3) -> str:
    """`value` with that many significant digits, without an exponent between 1e-4 and 1e9."""
    if value == 0 or not math.isfinite(value):
        return str(value)
    magnitude = math.floor(math.log10(abs(value)))
    if not -5 < magnitude < 9:
        return f"{value:.{significant - 1}e}"
    decimals = max(0, significant - 1 - magnitude)
    return f"{round(value, significant - 1 - magnitude):.{decimals}f}"


def plain(value: float | None, significant: int = 3) -> str:
    """A number, or a dash."""
    return NOT_KNOWN if value is None else digits(value, significant)


def between(low: float | None, high: float | None, significant: int = 3) -> str | None:
    """`390 to 434`; `None` where an end is not known."""
    if low is None or high is None:
        return None
    return f"{digits(low, significant)} to {digits(high, significant)}"


class Rounded(NamedTuple):
    """A value, the ends of its interval and half its width, each written to the same digit."""

    value: str
    low: str
    high: str
    half: str


MOST_DIGITS = 6
"""Significant digits beyond which an interval is float noise, such as that of equal blocks."""
WITHOUT_WIDTH = 3
ONE_DIGIT_FROM = 355
"""First three digits of a half width from which one digit of it is kept: the Particle Data Group's rule."""


SAME = 1e-12
"""Half an interval's share of the value below which it is a residue of the arithmetic."""


def rounded(value: float, low: float | None, high: float | None) -> Rounded:
    """A value and its interval as far as the interval's width allows.

    Half the width keeps two digits, or one where its first three digits are 355 or more, and the rest is
    rounded to the same place. A value keeps two digits and an end one, also in a range wider than they are.
    An end that would pass the value by rounding keeps two.
    Without an interval a value has three digits, and its ends are dashes.
    """
    if low is None or high is None:
        return Rounded(grouped(value, WITHOUT_WIDTH), NOT_KNOWN, NOT_KNOWN, "?")
    half = high / 2 - low / 2
    # Equal values leave the last bits of a float as their spread.
    if not SAME * abs(value) < half < math.inf:
        text = grouped(value, WITHOUT_WIDTH)
        return Rounded(text, grouped(low, WITHOUT_WIDTH), grouped(high, WITHOUT_WIDTH), "0")
    place = _place(half)
    return Rounded(
        _to(value, place, 2),
        _end(low, place, lambda end: end <= value),
        _end(high, place, lambda end: end >= value),
        _to(half, place, 1),
    )


def _place(half: float) -> int:
    """Power of ten of the last digit that a half width allows."""
    magnitude = math.floor(math.log10(half))
    leading = round(half / 10.0**magnitude * 100)
    return magnitude if ONE_DIGIT_FROM <= leading < 950 else magnitude - (leading < ONE_DIGIT_FROM)


def _end(end: float, place: int, beside: Callable[[float], bool]) -> str:
    """An end with one digit at least, and two where one would put it on the wrong side of the value."""
    text = _to(end, place, 1)
    return text if not beside(end) or beside(float(text.replace(",", ""))) else _to(end, place, 2)


def _to(value: float, place: int, least: int) -> str:
    """A number rounded to the digit of that place, with at least that many significant digits."""
    if value == 0 or not math.isfinite(value):
        return str(value) if value else "0"
    return grouped(value, min(MOST_DIGITS, max(least, math.floor(math.log10(abs(value))) - place + 1)))


def grouped(value: float, significant: int = 3) -> str:
    """`digits` with thousands set apart: `1,500`."""
    written = digits(value, significant)
    if "e" in written or not math.isfinite(value) or abs(float(written)) < 1000:
        return written
    return f"{float(written):,.{len(written.partition('.')[2])}f}"


def by_width(value: float, low: float | None, high: float | None) -> str:
    """A value alone, with as many digits as its interval allows: `1,870`."""
    return rounded(value, low, high).value


def ends(value: float, low: float | None, high: float | None) -> str | None:
    """`390 to 434`, as far as the width allows; `None` for a point, and where an end is not known."""
    if low is None or high is None or low == high:
        return None
    found = rounded(value, low, high)
    return f"{found.low} to {found.high}"


def ranged(value: float, low: float | None, high: float | None) -> str:
    """`620 (410 to 1,000)`, each rounded to what the range allows; a point without brackets."""
    between_ends = ends(value, low, high)
    return by_width(value, low, high) + (f" ({between_ends})" if between_ends else "")


def plus_minus(value: float, low: float | None, high: float | None) -> str:
    """`412 ± 6` (half the interval), both to the digit that the interval allows."""
    found = rounded(value, low, high)
    return f"{found.value} ± {found.half}"


def with_interval(found: Estimate | None) -> str:
    """`412 ± 6` (half the 95 % interval); without an interval the value alone."""
    if found is None:
        return NOT_KNOWN
    if found.low is None or found.high is None:
        return by_width(found.value, None, None)
    return plus_minus(found.value, found.low, found.high)


def by_share(value: float | None, half: float | None) -> str:
    """A value whose half width is that share of it, or not known: `412.3` for 412.34 and 0.001."""
    if value is None:
        return NOT_KNOWN
    width = None if half is None else abs(value) * half
    return by_width(value, None, None) if width is None else by_width(value, value - width, value + width)


LEAST_P = 0.001
"""p-value below which the number itself means nothing: no model of the blocks is true so far out."""


def p_value(p: float) -> str:
    """Two digits of a p-value, `1.0` at most and `<0.001` at least: `0.60`, `0.012`."""
    if p < LEAST_P:
        return f"<{LEAST_P}"
    return "1.0" if p >= 0.995 else digits(p, 2)


def percent(found: Estimate | None) -> str:
    """The half width relative to the value: `±1.4 %`."""
    relative = found.relative_half_width if found else None
    return NOT_KNOWN if relative is None else f"±{relative * 100:.1f} %"


def duration(seconds: float | None) -> str:
    """`45 s`, `3 min 20 s`, `1 h 05 min`."""
    if seconds is None:
        return NOT_KNOWN
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
