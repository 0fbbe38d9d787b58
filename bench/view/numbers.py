"""Numbers as a person reads them: as many digits as they are worth, and never a bare 0 for `not known`."""

from __future__ import annotations

import math

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


def worth(value: float, low: float, high: float) -> int:
    """Significant digits of a value that its range allows: 1 to 4, and 3 without a range."""
    half = high / 2 - low / 2
    if not 0 < half < math.inf or not 0 < value < math.inf:
        return 3
    return min(4, max(1, math.floor(math.log10(value / half)) + 2))


def grouped(value: float, significant: int = 3) -> str:
    """`digits` with thousands set apart: `1,500`."""
    written = digits(value, significant)
    return f"{float(written):,.0f}" if abs(value) >= 1000 and "e" not in written else written


def ranged(value: float, low: float, high: float) -> str:
    """`620 (410 to 1,000)`, each rounded to what the range allows; a point without brackets."""
    kept = worth(value, low, high)
    if low == high:
        return grouped(value, kept)
    return f"{grouped(value, kept)} ({grouped(low, kept)} to {grouped(high, kept)})"


def with_interval(found: Estimate | None) -> str:
    """`412 ± 6` (half the 95 % interval), both to the digit that the interval is worth."""
    if found is None:
        return NOT_KNOWN
    if found.low is None or found.high is None:
        return digits(found.value)
    half = found.high / 2 - found.low / 2
    if half <= 0:
        return f"{digits(found.value, 4)} ± 0"
    decimals = max(0, 1 - math.floor(math.log10(half)))
    return f"{found.value:.{decimals}f} ± {half:.{decimals}f}"


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
