"""Cell of an absolute figure: its value with half of its 95 % interval.

spanned(Span(412.0, 387.0, 437.0)).text        # "412 ± 25"
"""

from __future__ import annotations

from bench.compare.across import Span
from bench.view.content import Written
from bench.view.numbers import digits


def spanned(span: Span) -> Written:
    """`412 ± 25`, or the value and that its error is not known."""
    if span.low is None or span.high is None:
        return Written(f"{digits(span.value)} ± ?", span.value)
    return Written(f"{digits(span.value)} ± {digits((span.high - span.low) / 2, 2)}", span.value)
