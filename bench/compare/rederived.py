"""Joules of a record's blocks derived anew from the samples beside it, by the estimator of this version.

    derived = rederived(record, trace)
    derived.value, derived.allowed    # joules a unit, and how far an honest record may be from them

A counter's window is cut from the trace as it was from the recorder's samples. Its edges were estimated a
moment after the window, before later samples were there, so the two agree within the edges' uncertainty and
not to the last bit. Domains that have no samples of their own (estimates, a reading taken at an edge alone)
keep the record's joules where the trace's bounds allow them (`trace_check`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from bench.compare import trace_check
from bench.compare.metrics import HEADLINE, headline_domains
from bench.core.arrays import Floats
from bench.core.block import Block
from bench.core.energy import DomainEnergy
from bench.core.measurement import Measurement
from bench.core.record import Record
from bench.meters import edges, rests
from bench.meters.publishing_delay import Delay
from bench.stats.figures import counting
from bench.store.traces import Samples, Stamps, Trace

COVERAGE_FACTOR = 3.0
"""Of the edges' standard uncertainty: with fewer than 1 in 300 honest windows outside."""
LEAST_SHARE = 1e-3
"""Agreement asked for at least, of windows whose edges are known better."""
LATEST_LOOK_S = 3.0
"""After a window: what of its samples can matter to its end."""
ROUNDING = 1e-6
"""Of sums that rest on the record's own joules."""


class Rederived(NamedTuple):
    """Joules a unit from the samples, how far an honest record may be from it, and the blocks behind it.

    `value` is `None` with the `reason` where the samples give none.
    """

    value: float | None
    allowed: float
    windows: int
    """Windows of domains that were derived anew."""
    kept: int
    """Windows whose joules are the record's, within the bounds of the samples."""
    reason: str | None = None


class _Window(NamedTuple):
    joules: float
    """Without its rests."""
    allowed_j: float
    anew: bool


@dataclass(frozen=True)
class _Samples:
    """A domain's samples up to a moment, as the recorder had them when a window was estimated."""

    samples: Samples
    until_ns: int

    def fast(
        self, gpu_index: int, start_ns: int, end_ns: int, value: Literal["energy_j"]
    ) -> tuple[Stamps, Floats]:
        """Stamps and values within the window; a trace has one domain, and no number of a card."""
        del gpu_index
        t_ns, joules = self.samples.column(value)
        inside = (t_ns >= start_ns) & (t_ns <= min(end_ns, self.until_ns))
        return t_ns[inside], joules[inside]


def rederived(record: Record, trace: Trace) -> Rederived:
    """The headline from the samples of the blocks that count."""
    blocks, domains = counting(record.blocks), headline_domains(record)
    fault = next(trace_check.problems(record, trace), None)
    if fault is not None or not blocks:
        return Rederived(None, 0.0, 0, 0, fault or "no block counts")
    windows = [[_window(block, domain, trace) for domain in domains] for block in blocks]
    if any(window is None for of_block in windows for window in of_block):
        return Rederived(None, 0.0, 0, 0, "a block lacks the joules of a domain")
    whole = [[window for window in of_block if window is not None] for of_block in windows]
    units = [float(block.units or math.nan) for block in blocks]
    per_unit = [sum(w.joules for w in found) / of for found, of in zip(whole, units, strict=True)]
    allowed = [sum(w.allowed_j for w in found) / of for found, of in zip(whole, units, strict=True)]
    anew = sum(window.anew for found in whole for window in found)
    total = sum(map(len, whole))
    return Rederived(float(np.mean(per_unit)), float(np.mean(allowed)), anew, total - anew)


def _window(block: Block, domain: str, trace: Trace) -> _Window | None:
    """Joules of a domain in a block; `None` where the record has none."""
    energy = block.energy.get(domain)
    if energy is None or energy.gross_j is None:
        return None
    found = _from_samples(block, domain, energy, trace[domain]) if domain in trace else None
    return found or _Window(energy.gross_j, 0.0, anew=False)


def _from_samples(block: Block, domain: str, energy: DomainEnergy, samples: Samples) -> _Window | None:
    """A window by this version's estimator; `None` where samples alone do not give it."""
    rests_ns, delay = block.rests_of.get(domain, block.rests_ns), _delay(block, domain)
    if energy.source != "counter-padded" or energy.gross_j is None or rests_ns is None:
        return None
    work_ns = rests.work_begins_ns(block.start_ns, rests_ns)
    everything = _Samples(samples, block.end_ns + round(LATEST_LOOK_S * 1e9))
    curves = edges.edge_curves(everything, 0, work_ns, block.end_ns)
    if curves is None:
        return None
    # As many samples after the window as there were when it was estimated: those of the room after it.
    until_ns = block.end_ns + round((edges.room_s(curves.end.tick_s) + delay.latest_s) * 1e9)
    tick_s = curves.start.tick_s
    curves = edges.edge_curves(_Samples(samples, until_ns), 0, work_ns, block.end_ns, tick_s) or curves
    found = edges.window_energy(curves, delay)
    if found is None:
        return None
    opening_j = found.before_w * (work_ns - block.start_ns) / 1e9
    work_end_ns = block.work_ends_of.get(domain, block.end_ns)
    resting = _rests(everything, energy, rests_ns, block, work_end_ns, tick_s, delay)
    if resting is None:
        return None
    # Rests that the counter did not resolve keep the record's joules, which bounds of power limit.
    rests_j = resting.energy_j + opening_j if energy.rests_u_j is not None else energy.rests_j or 0.0
    u_j = math.hypot(energy.edge_u_j or 0.0, energy.rests_u_j or 0.0)
    allowed_j = max(COVERAGE_FACTOR * u_j, LEAST_SHARE * energy.gross_j)
    return _Window(found.energy_j + opening_j - rests_j, allowed_j, anew=True)


def _rests(
    samples: _Samples,
    energy: DomainEnergy,
    rests_ns: rests.Spans,
    block: Block,
    work_end_ns: int,
    tick_s: float,
    delay: Delay,
) -> rests.RestEnergy | None:
    """Joules of the rests inside a window; 0 where the record took them at the power beside."""
    if energy.rests_u_j is None:
        return rests.RestEnergy(0.0, 0.0)
    work_ns = rests.work_begins_ns(block.start_ns, rests_ns), work_end_ns
    inside_ns = rests_ns[1:] if work_ns[0] > block.start_ns else rests_ns
    return rests.measured(samples, 0, inside_ns, tick_s, delay, work_ns)


def _delay(block: Block, domain: str) -> Delay:
    """The counter's publishing delay as the block has it."""
    stated = block.observed.counter_delay.get(domain)
    if stated is None:
        return Delay(0.0, 0.0)
    delay_s, u_s, scatter_s = (
        float(value or 0.0) for value in (stated.delay_s, stated.u_s, stated.scatter_s)
    )
    return Delay(delay_s, u_s, scatter_s=scatter_s)


def differences(record: Record, derived: Rederived) -> Iterator[str]:
    """What the samples say against the record's headline: nothing where both agree."""
    headline = record.headline()
    if derived.reason is not None:
        yield derived.reason
    elif headline is None or derived.value is None:
        yield "it has no headline"
    elif abs(headline.value - derived.value) > max(derived.allowed, ROUNDING * derived.value):
        yield (
            f"its headline is {headline.value:.6g} J a {record.unit}, and its samples give "
            f"{derived.value:.6g}, at most {derived.allowed:.2g} off"
        )


def blocks_against_headline(record: Measurement) -> str | None:
    """Fault of a record whose headline is not that of its own blocks: it was edited."""
    stored, derived = record.headline(), HEADLINE.read(record).estimate
    if (stored is None) != (derived is None):
        return "its headline does not follow from its blocks"
    if stored and derived and abs(stored.value - derived.value) > ROUNDING * abs(derived.value):
        return (
            f"its headline is {stored.value:.6g} J a {record.unit}, and its blocks give {derived.value:.6g}"
        )
    return None
