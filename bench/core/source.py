"""What an energy source says of itself: how its counters behave, and what their gain may be off by."""

from __future__ import annotations

from typing import Any, NamedTuple


class GainPrior(NamedTuple):
    """By what share a source's joules may be off, either way, and where that number comes from."""

    half_width: float
    origin: str

    @classmethod
    def of(cls, stored: Any) -> GainPrior | None:
        """As a record holds it; `None` where what is stored is no prior."""
        match stored:
            case {"half_width": float(half_width), "origin": str(origin)} if 0 < half_width < 1:
                return cls(half_width, origin)
        return None


class SourceFacts(NamedTuple):
    """A source of cumulative joules: what is known of it before it is read.

    `longest_unseen_s` is for how long its counters may go unread (they wrap, or lose what they held);
    `tick_s` the longest time in which a live one is seen to have moved; no domain draws `plausible_w`.
    Without a `gain`, joules have no expanded uncertainty at a scope that holds them.
    """

    name: str
    plausible_w: float
    tick_s: float
    longest_unseen_s: float
    gain: GainPrior | None


RAPL_GAIN = GainPrior(
    0.10,
    "no bound is published; Desrochers et al. 2016, doi:10.1145/2989081.2989088, find offsets that differ "
    "between systems",
)
"""What records of before their sources' priors were stored rest on."""
