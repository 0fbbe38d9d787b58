"""Meters of a case: of this machine, of the nodes of its server, or none where its server is out of reach.

meters = case_meters.choose(setup, producer, meter_set)
margin_s = meters.begin()                      # before each window
window = meters.metered(window)                # with the joules of the work, and of nothing else
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from bench.core.observed import Observed
from bench.core.served import ServedWindow
from bench.measurement.cases_beside import CasesBeside
from bench.measurement.idle import IdlePower, watch_idle
from bench.measurement.neighbours import neighbours
from bench.measurement.node_metering import NodeMetering
from bench.measurement.setup import RunSetup
from bench.meters.meter_set import MeterSet
from bench.meters.metered_window import MeteredWindow
from bench.worker.producer import Producer


class CaseMeters(Protocol):
    """What reads the joules of a case's work."""

    @property
    def why_not_here(self) -> str | None:
        """Why this machine's joules are not the work's; `None` where they are."""

    def begin(self) -> float:
        """Prepare for a window. Returns the seconds of steady load that each side of its edges needs."""

    def idle(self, settle_s: float, seconds: float, enough_w: float | None) -> IdlePower:
        """Power with nothing asked, over `seconds`, or less where it is known to `enough_w` (W) before."""

    def metered(self, window: MeteredWindow) -> MeteredWindow:
        """A window of this machine's meters, with the joules of the work alone."""

    def observe(self, observed: Observed, window: MeteredWindow, served: ServedWindow | None) -> None:
        """Add what was seen in a window beside its joules."""


def choose(setup: RunSetup, producer: Producer, meter_set: MeterSet) -> CaseMeters:
    """The meters of the work of this producer."""
    if setup.nodes is not None:
        return NodeMetering(setup.nodes, setup.note)
    if producer.elsewhere is not None:
        return OutOfReach(meter_set, producer.elsewhere)
    return OfThisMachine(meter_set, setup.side_by_side)


@dataclass(frozen=True)
class OfThisMachine:
    """The work runs here, on the cards of `meter_set`."""

    meter_set: MeterSet
    others: CasesBeside | None

    @property
    def why_not_here(self) -> None:
        """They are the work's."""

    def begin(self) -> float:
        """Nothing has to be prepared."""
        return self.meter_set.margin_s

    def idle(self, settle_s: float, seconds: float, enough_w: float | None) -> IdlePower:
        """The power of this machine."""
        return watch_idle(self.meter_set, settle_s, seconds, enough_w)

    def metered(self, window: MeteredWindow) -> MeteredWindow:
        """The window as it is."""
        return window

    def observe(self, observed: Observed, window: MeteredWindow, served: ServedWindow | None) -> None:  # noqa: ARG002
        """What the cards that the work does not use have drawn."""
        observed.neighbours = neighbours(self.meter_set, window, self.others)


@dataclass(frozen=True)
class OutOfReach:
    """The work runs on a server that no meter of this machine reads; what this one draws is the client's."""

    meter_set: MeterSet
    why_not_here: str

    def begin(self) -> float:
        """As long as this machine's meters need, which stamp the edges."""
        return self.meter_set.margin_s

    def idle(self, settle_s: float, seconds: float, enough_w: float | None) -> IdlePower:  # noqa: ARG002
        """Nothing is known, so nothing is waited for."""
        return IdlePower({}, {}, {}, {})

    def metered(self, window: MeteredWindow) -> MeteredWindow:
        """The window without joules."""
        return replace(window, energy={}, task=None)

    def observe(self, observed: Observed, window: MeteredWindow, served: ServedWindow | None) -> None:
        """Nothing of the server's machine is seen."""
