"""Facts of an energy source: behaviour of its counters, and the error of their gain."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field

from bench.core.model import SchemaModel


class GainPrior(SchemaModel, frozen=True):
    """By what share a source's joules may be off, either way, and where that number comes from."""

    half_width: float = Field(gt=0, lt=1)
    origin: str


class SourceFacts(NamedTuple):
    """A source of cumulative joules: what is known of it before it is read.

    `longest_unseen_s` is for how long its counters may go unread (they wrap, or lose what they held);
    `tick_s` the longest time in which a live one is seen to have moved; no domain draws `plausible_w`.
    Without a `gain`, joules have no expanded uncertainty at a scope that includes them.
    """

    name: str
    plausible_w: float
    tick_s: float
    longest_unseen_s: float
    gain: GainPrior | None


RAPL_GAIN = GainPrior(
    half_width=0.10,
    origin="no bound is published; Desrochers et al. 2016, doi:10.1145/2989081.2989088, find offsets that "
    "differ between systems",
)
"""Basis of records from before their sources' priors were stored."""
