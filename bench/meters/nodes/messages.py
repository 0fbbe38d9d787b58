"""Messages between `bench run` and a metering agent: JSON over HTTP, typed, bounded in size and time.

    GET  /meter     MeterDescription     the node's cards, domains, calibrations
    POST /clock     ClockReply           two time stamps of the agent's clock
    POST /window    WindowReply          joules between two moments of the agent's clock
    POST /samples   rows of the recorder (`sampling.ROW`), as bytes

Nothing is executed and nothing is unpickled. A change that another version would not understand raises
`PROTOCOL`.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from bench.core.calibration import Calibration
from bench.core.clocks import ClockSync
from bench.core.energy import DomainEnergy
from bench.core.machine import GpuFacts, SourceUsed
from bench.core.model import SchemaModel
from bench.core.observed import CounterDelay, GpuObserved

PROTOCOL: Final = 1
TOKEN_VARIABLE = "JOULEBENCH_METER_TOKEN"
"""Variable with the token, on both sides; it is sent in a header and never printed."""
SHORTEST_TOKEN = 16
LARGEST_REQUEST, LARGEST_REPLY, LARGEST_SAMPLES = 4096, 4 * 2**20, 64 * 2**20
"""Bytes. A card's samples of an hour are 5 MB."""
LONGEST_WINDOW_S, LATEST_END_S = 6 * 3600.0, 5.0
"""Longest window, and how far in the future it may end: a wrong offset is refused, not waited for."""
LONGEST_CLOCK_U_S = 10.0
Moment = Annotated[int, Field(ge=0, lt=2**63)]


class ClockReply(SchemaModel):
    """The agent's clock when it had the request and when it answered, in ns."""

    protocol: Literal[1] = PROTOCOL
    session: str
    received_ns: Moment
    sent_ns: Moment


class MeterDescription(SchemaModel):
    """An agent: the machine, what it meters, and how long power must be steady beside a window."""

    protocol: Literal[1] = PROTOCOL
    session: str
    """Of this start of the agent: another one has another clock and no samples from before."""
    joulebench: str
    machine: str | None
    machine_id: str | None
    driver: str | None
    gpus: list[GpuFacts]
    """The metered cards."""
    domains: dict[str, str]
    """Every domain that is read, with the name of its source."""
    energy_sources: dict[str, SourceUsed]
    calibration: dict[str, Calibration]
    margin_s: float = Field(ge=0, le=60)
    sync: ClockSync


class WindowQuery(SchemaModel):
    """A stretch of the agent's clock, and by how much its edges may be off."""

    start_ns: Moment
    end_ns: Moment
    clock_u_s: float = Field(ge=0, le=LONGEST_CLOCK_U_S)

    @model_validator(mode="after")
    def _is_a_window(self) -> WindowQuery:
        if not 0 < self.end_ns - self.start_ns <= LONGEST_WINDOW_S * 1e9:
            raise ValueError(f"a window is longer than 0 and at most {LONGEST_WINDOW_S:.0f} s")
        return self


class WindowReply(SchemaModel):
    """Joules of each domain of the node in a window, and what was seen of it."""

    protocol: Literal[1] = PROTOCOL
    session: str
    energy: dict[str, DomainEnergy]
    edge_step_w: dict[str, float]
    """By domain: joules that a second of shift of the window would change, for shifts within `clock_u_s`."""
    gpus: dict[str, GpuObserved]
    counter_delay: dict[str, CounterDelay]
    longest_sample_gap_s: float | None
    sample_gap_p99_s: float | None


class SamplesQuery(SchemaModel):
    """A domain's samples between two moments of the agent's clock."""

    domain: str = Field(max_length=200)
    start_ns: Moment
    end_ns: Moment


class Refusal(SchemaModel):
    """Reason for an answer other than the one asked for."""

    error: str
