"""Clocks of machines: the kernel's answer about this one, and the offset of another's from it.

record.provenance.clock.sync.synchronised        # by NTP or PTP, as the kernel states it
record.machine.nodes["decode"].clock.offset_s    # of a node's clock from that of `bench run`
"""

from __future__ import annotations

from pydantic import Field

from bench.core.model import Count, Number, OpenModel, SchemaModel


class ClockSync(OpenModel):
    """Synchronisation of a machine's calendar clock, as its kernel states it."""

    synchronised: bool | None = None
    max_error_s: Number | None = None
    """Largest error that the kernel allows for."""
    estimated_error_s: Number | None = None
    absent: dict[str, str] = Field(default_factory=dict)


class ClockOffset(SchemaModel):
    """Offset of a node's monotonic clock from that of `bench run`, over a case.

    It is measured by four time stamps of an exchange (RFC 5905), the quickest of several, before and after
    each window.
    """

    offset_s: float
    """Node's clock minus that of `bench run`, at the last exchange: large, as each counts from its boot."""
    uncertainty_s: float = Field(ge=0)
    """Largest half width over the windows: half of a round trip, and the change from exchange to exchange."""
    round_trip_s: float = Field(ge=0)
    """The longest of the exchanges that were used."""
    drift_ppm: float | None
    """Rate between the first and the last exchange; `null` where they are too close together."""
    exchanges: Count
