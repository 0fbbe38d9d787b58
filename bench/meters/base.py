"""Interface of every meter: windows of some domains' energy, and the difference of two readings.

A window is opened and closed around the work. Each meter remembers what it needs in the token that `open`
returns, so that windows may be as many as one likes and a meter has no state of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from bench.core.arrays import Floats
from bench.core.energy import DomainEnergy, DomainKind

PLAUSIBLE_W = 10_000.0
"""Upper bound on the power of a card or module: a higher reading is invalid, a faster counter has jumped."""
WENT_BACKWARDS = "the counter went backwards (reset, wrap or driver reload)"


@dataclass(frozen=True)
class Reading:
    """A cumulative energy, stamped CLOCK_MONOTONIC just before it was asked for.

    `energy_j` counts from an arbitrary origin; only differences mean something. `None` comes with a reason.
    """

    t_ns: int
    energy_j: float | None
    reason: str | None = None


class CounterSamples(Protocol):
    """A card's counter as it was sampled: by the recorder, or as a trace kept it."""

    def fast(
        self, gpu_index: int, start_ns: int, end_ns: int, value: Literal["energy_j"]
    ) -> tuple[NDArray[np.int64], Floats]:
        """Stamps and joules of the samples within the window, missing ones left out."""


class DomainMeter(Protocol):
    """Reads the energy of some domains between two moments."""

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains this meter covers here, such as `gpu:<uuid>` or `cpu:package-0`."""

    @property
    def absent(self) -> dict[str, str]:
        """Domains it would cover but cannot read here, each with the reason."""

    def open(self) -> Any:
        """Begin a window; returns a token for `close`."""

    def close(self, opened: Any) -> dict[str, DomainEnergy]:
        """End the window: the energy of every domain. Never raises for a domain that fails."""


def difference(before: Reading, after: Reading, source: str) -> DomainEnergy:
    """The measured energy between two readings of one counter.

    A counter that went backwards was reset, and one that did not move is not counting or ticks more slowly
    than the window is long: both give `None` with the reason, not a number.
    """
    if before.energy_j is None or after.energy_j is None:
        return unreadable(source, after.reason or before.reason or "no reading")
    joules = after.energy_j - before.energy_j
    if joules < 0:
        return unreadable(source, WENT_BACKWARDS)
    if joules == 0:
        seconds = (after.t_ns - before.t_ns) / 1e9
        return unreadable(source, f"the counter did not move in {seconds:.2g} s")
    return DomainEnergy(gross_j=joules, source=source, kind="measured")


def unreadable(source: str, reason: str, kind: DomainKind = "measured") -> DomainEnergy:
    """The energy of a domain whose meter gave no number for a window."""
    return DomainEnergy(gross_j=None, source=source, kind=kind, reason=reason)
