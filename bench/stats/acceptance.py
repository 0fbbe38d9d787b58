"""Drafts until one is accepted: attempts and joules an accepted item, with intervals for few drafts, too.

    share = AcceptedShare.of(accepted=31, tried=80)        # 0.39, Clopper and Pearson's 95 %: 0.28 to 0.50
    attempts(share).value                                  # 2.58 drafts
    per_accepted(joules_a_draft, share).value              # J

Drafts are taken for independent trials, so only distinct outputs count: the same output again is the same
trial. Attempts are 1/p; joules an accepted item are joules a draft over p.
On logarithms the distances of both intervals add as squares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from bench.core.figures import Estimate
from bench.stats.figures import CONFIDENCE


@dataclass(frozen=True)
class AcceptedShare:
    """Share of drafts that are accepted, with its 95 % interval by Clopper and Pearson (1934)."""

    accepted: int
    tried: int
    low: float
    high: float

    @classmethod
    def of(cls, accepted: int, tried: int) -> Self:
        """From counts of distinct drafts. Raises ValueError for counts that cannot be."""
        from scipy.special import betaincinv

        if not 0 <= accepted <= tried or tried == 0:
            raise ValueError(f"{accepted} of {tried} drafts cannot be accepted")
        tail = (1 - CONFIDENCE) / 2
        low = float(betaincinv(accepted, tried - accepted + 1, tail)) if accepted else 0.0
        high = float(betaincinv(accepted + 1, tried - accepted, 1 - tail)) if accepted < tried else 1.0
        return cls(accepted, tried, low, high)

    @property
    def value(self) -> float:
        """Accepted drafts over all."""
        return self.accepted / self.tried


def attempts(share: AcceptedShare) -> Estimate | None:
    """Drafts until one is accepted; `None` where none was."""
    if share.accepted == 0:
        return None
    return Estimate(value=1 / share.value, low=1 / share.high, high=1 / share.low, n=share.tried)


def per_accepted(joules: Estimate, share: AcceptedShare) -> Estimate | None:
    """Joules an accepted item; `None` where none was accepted.

    Without an interval where the joules a draft have none.
    """
    if share.accepted == 0:
        return None
    value = joules.value / share.value
    if joules.low is None or joules.high is None or joules.low <= 0:
        return Estimate(value=value, low=None, high=None, n=share.tried)
    down = math.hypot(math.log(joules.value / joules.low), math.log(share.high / share.value))
    up = math.hypot(math.log(joules.high / joules.value), math.log(share.value / share.low))
    return Estimate(value=value, low=value * math.exp(-down), high=value * math.exp(up), n=share.tried)


def together(first: Estimate, second: Estimate) -> Estimate:
    """Sum of two independent figures: the distances of their intervals add as squares."""
    value, n = first.value + second.value, min(first.n, second.n)
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Estimate(value=value, low=None, high=None, n=n)
    down = math.hypot(first.value - first.low, second.value - second.low)
    up = math.hypot(first.high - first.value, second.high - second.value)
    return Estimate(value=value, low=value - down, high=value + up, n=n)
