"""Ratios of B over A with a 95 % interval and a p-value, on the logarithms of block values.

On logarithms a ratio is a difference, and 10 % more is as far from equal as 10 % less of the greater.
Which method fits is `ratio`'s choice: Welch for blocks as they usually come, Mann and Whitney with the
Hodges-Lehmann shift where a block is an outlier and there are enough of them to do without a mean. Blocks
measured in turns have logarithms of their own: `paired`.

Blocks of one run do not predict the next run on a disturbed machine: on a CPU with other load
two runs of one case were 56 % apart, at p = 0.02 by their blocks. So where a run's own interval is wider than
`STEADY`, the spread of its blocks enters once more, undivided by √n, as what its mean may be off by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import Literal

from bench.stats.budget.gum import Term, combine, coverage_factor, expansion, lag1, stdev, widening
from bench.stats.figures import CONFIDENCE

RatioMethod = Literal["paired t", "Welch t", "Mann-Whitney", "exact"]

ENOUGH_FOR_RANKS = 8
"""Below eight blocks a side, ranks alone can hardly reach significance once several rows are tested."""
FAR_OUT = 5.0
"""Robust standard deviations from the median beyond which a block spoils a mean and its interval."""
MAD_TO_SD = 1.4826
STEADY = 0.02
"""Half a run's 95 % interval, relative: the target a run has by default. A wider one was disturbed."""
LARGEST_LOG = 600.0
"""Two wild blocks may give an interval beyond every floating-point number."""


@dataclass(frozen=True)
class Ratio:
    """Ratio of B to A. `low`, `high` and `p` are `None` without a spread to judge by."""

    value: float
    low: float | None
    high: float | None
    p: float | None
    n: tuple[int, int]
    method: RatioMethod
    unsteady: bool = False
    """Whether a run's blocks spread so much that the next run may differ more; the interval includes that."""


def ratio(a: Sequence[float], b: Sequence[float], common: Sequence[Term] = ()) -> Ratio:
    """The ratio of two sets of positive block values. `common` are relative terms no block spread shows."""
    logs_a, logs_b = ([math.log(value) for value in side] for side in (a, b))
    ranks = min(len(a), len(b)) >= ENOUGH_FOR_RANKS and (_far_out(logs_a) or _far_out(logs_b))
    unsteady = [logs for logs in (logs_a, logs_b) if len(logs) > 1 and not _steady(logs, robust=ranks)]
    if ranks and not unsteady:
        return _mann_whitney(logs_a, logs_b)
    between_runs = [Term(stdev(logs), len(logs) - 1) for logs in unsteady]
    found = _welch(logs_a, logs_b, [*common, *between_runs])
    return replace(found, unsteady=bool(unsteady))


def paired(logs: Sequence[float]) -> Ratio:
    """The ratio from each pair's ln(B/A)."""
    n = (len(logs), len(logs))
    if len(logs) < 2:
        return Ratio(_exp(fmean(logs)), None, None, None, n, "paired t")
    return _from_terms(fmean(logs), [_run_to_run(logs)], n, "paired t")


def exact(a: float, b: float) -> Ratio:
    """The ratio of two figures that no chance enters, such as an allocator's bytes."""
    return Ratio(b / a, b / a, b / a, None, (1, 1), "exact")


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for multiple tests (Holm 1979): never smaller, at most 1."""
    adjusted = [1.0] * len(p_values)
    reached = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = reached
    return adjusted


def _run_to_run(logs: Sequence[float]) -> Term:
    """Standard error of the mean, wider where blocks follow their predecessors; see `gum.widening`."""
    wider = widening(lag1(logs), len(logs))
    return Term(wider * stdev(logs) / math.sqrt(len(logs)), len(logs) - 1)


def _welch(a: Sequence[float], b: Sequence[float], common: Sequence[Term]) -> Ratio:
    difference, n = fmean(b) - fmean(a), (len(a), len(b))
    if min(n) < 2:
        return Ratio(_exp(difference), None, None, None, n, "Welch t")
    return _from_terms(difference, [_run_to_run(a), _run_to_run(b), *common], n, "Welch t")


def _from_terms(difference: float, terms: Sequence[Term], n: tuple[int, int], method: RatioMethod) -> Ratio:
    combined, factor = expansion(terms, CONFIDENCE)
    half = factor * combined.standard
    low, high = _exp(difference - half), _exp(difference + half)
    return Ratio(_exp(difference), low, high, _p(difference, terms, factor), n, method)


def _p(difference: float, terms: Sequence[Term], factor: float) -> float:
    """Two-sided, in step with the interval: 0.05 where its edge touches no difference."""
    from scipy.special import ndtr, stdtr

    combined = combine(terms)
    if combined.standard == 0:
        return 1.0 if difference == 0 else 0.0
    stretched = factor / coverage_factor(combined.dof, CONFIDENCE)
    statistic = -abs(difference) / combined.standard / stretched
    return 2 * float(ndtr(statistic) if math.isinf(combined.dof) else stdtr(combined.dof, statistic))


def _exp(log: float) -> float:
    """A ratio from its logarithm; where no number is large or small enough, the last that is."""
    return math.exp(max(-LARGEST_LOG, min(LARGEST_LOG, log)))


def _steady(logs: Sequence[float], *, robust: bool) -> bool:
    """Whether the run's own interval is narrow enough for its mean to represent other runs."""
    spread = _robust_spread(logs) if robust else stdev(logs)
    return coverage_factor(len(logs) - 1, CONFIDENCE) * spread / math.sqrt(len(logs)) <= STEADY


def _far_out(logs: Sequence[float]) -> bool:
    """Whether a value is so far from the others that a mean is misleading."""
    middle, spread = median(logs), _robust_spread(logs)
    return spread > 0 and any(abs(value - middle) > FAR_OUT * spread for value in logs)


def _robust_spread(logs: Sequence[float]) -> float:
    """A standard deviation that no single value moves: from the median distance to the median."""
    middle = median(logs)
    return MAD_TO_SD * median(abs(value - middle) for value in logs)


def _mann_whitney(a: Sequence[float], b: Sequence[float]) -> Ratio:
    """Rank test by the normal approximation, and the median of all differences with its interval."""
    from scipy.special import ndtr, ndtri

    differences = sorted(right - left for left in a for right in b)
    product, total = len(a) * len(b), len(a) + len(b)
    sd = math.sqrt(product * (total + 1) / 12)
    above = sum((value > 0) + (value == 0) / 2 for value in differences)
    away = max(0.0, abs(above - product / 2) - 0.5)
    edge = max(0, math.floor(product / 2 - float(ndtri((1 + CONFIDENCE) / 2)) * sd))
    return Ratio(
        _exp(median(differences)),
        _exp(differences[edge]),
        _exp(differences[-1 - edge]),
        2 * float(ndtr(-away / sd)),
        (len(a), len(b)),
        "Mann-Whitney",
    )
