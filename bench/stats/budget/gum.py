"""The arithmetic of an uncertainty budget: JCGM 100:2008 (the GUM), chapter 5 and annex G.

Each input gives one `Term`: what its standard uncertainty does to the result, and with how many degrees of
freedom that is known. Independent terms add as squares; the effective degrees of freedom follow from
Welch and Satterthwaite; Student's t of those gives the coverage factor.

    terms = [Term(25.0, 18), Term(9.7, 25.6), Term(2.9, 50), Term(16.6, 2)]     # the end gauge of GUM H.1
    combined, factor = expansion(terms, 0.99)
    expanded = factor * combined.standard
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import fmean

NEEDED_FOR_WIDENING = 8
"""Values below which an autocorrelation is reported and not used: its own error is then above 0.35."""


@dataclass(frozen=True)
class Term:
    """One input's share: |sensitivity| × standard uncertainty, in the unit of the result."""

    contribution: float
    dof: float = math.inf


@dataclass(frozen=True)
class CombinedUncertainty:
    """All terms together: combined standard uncertainty and effective degrees of freedom."""

    standard: float
    dof: float


def combine(terms: Iterable[Term]) -> CombinedUncertainty:
    """Root of the sum of squares (GUM 5.1.2), and Welch and Satterthwaite's degrees of freedom (G.4.1)."""
    terms = list(terms)
    standard = math.hypot(*(term.contribution for term in terms))
    if standard == 0:
        return CombinedUncertainty(0.0, math.inf)
    spent = sum((term.contribution / standard) ** 4 / term.dof for term in terms)
    return CombinedUncertainty(standard, 1 / spent if spent else math.inf)


@lru_cache(maxsize=4096)
def coverage_factor(dof: float, confidence: float) -> float:
    """Coverage factor of that share: Student's t, which is normal for infinite `dof`.

    `dof` need not be whole: the quantile is interpolated between whole values (GUM G.4.1, first way).
    """
    from scipy.special import ndtri, stdtrit  # scipy.stats would cost a second of start-up

    upper = (1 + confidence) / 2
    return float(ndtri(upper) if math.isinf(dof) else stdtrit(dof, upper))


def expansion(terms: Sequence[Term], confidence: float) -> tuple[CombinedUncertainty, float]:
    """All terms together, and the factor that makes an interval of them.

    Never narrower than any one term's own interval. Beside a term of few degrees of freedom, Welch and
    Satterthwaite let a further source of error shrink the result (Ballico 2000, Metrologia 37, 61).
    """
    combined = combine(terms)
    factor = coverage_factor(combined.dof, confidence)
    if combined.standard > 0:
        alone = [coverage_factor(term.dof, confidence) * term.contribution for term in terms]
        factor = max(factor, max(alone) / combined.standard)
    return combined, factor


def stdev(values: Sequence[float]) -> float:
    """Standard deviation of a sample; `statistics.stdev` gives the same by fractions, 15 times slower."""
    mean = fmean(values)
    off = [value - mean for value in values]
    scale = max(map(abs, off))
    if scale == 0:
        return 0.0
    return scale * math.sqrt(math.fsum((each / scale) ** 2 for each in off) / (len(off) - 1))


def rectangular(half_width: float) -> float:
    """Standard uncertainty of a value known only to be within ± `half_width` (GUM 4.3.7)."""
    return half_width / math.sqrt(3)


def lag1(values: Sequence[float]) -> float | None:
    """Correlation of each value with the one before; `None` for fewer than three, or where all are equal."""
    mean = fmean(values) if values else 0.0
    off = [value - mean for value in values]
    scale = max(map(abs, off), default=0.0)
    if len(values) < 3 or scale <= 1e-12 * abs(mean):
        return None
    off = [value / scale for value in off]
    return sum(a * b for a, b in pairwise(off)) / sum(value * value for value in off)


def widening(correlation: float | None, n: int) -> float:
    """By what the standard uncertainty of a mean grows when values follow their predecessors: √((1+φ)/(1−φ)).

    1.0 unless the correlation is significant (φ > 2/√n) on enough values. A negative one would
    narrow the interval and is not used.
    """
    if correlation is None or n < NEEDED_FOR_WIDENING or correlation <= 2 / math.sqrt(n):
        return 1.0
    return math.sqrt((1 + correlation) / (1 - correlation))
