"""Provenance of a record: the command, the software, the settings, the clock, the cards as the case began.

    record.provenance.git.commit
    record.provenance.libraries["torch"]

A record's comparison never looks at the clock, the load or the cards' state: these change by the minute.
"""

from __future__ import annotations

from pydantic import Field

from bench.core.clocks import ClockSync
from bench.core.model import Number, OpenModel


class CodeVersion(OpenModel):
    """The commit of the code under test, and whether its files differ from it."""

    commit: str | None = None
    dirty: bool | None = None
    absent: dict[str, str] = Field(default_factory=dict)
    sources: str | None = None
    """Digest over the names and contents of the package's files; `null` in older records."""
    checkout: str | None = None
    """The name under which a checkout was asked for; `null` for this program's own code."""


class ClockReading(OpenModel):
    """One moment by the calendar and by CLOCK_MONOTONIC, which starts anew with every boot."""

    utc: str | None = None
    monotonic_ns: int | None = None
    sync: ClockSync | None = None
    """Of the calendar clock; `null` in older files."""


THROTTLE_REASONS = {
    0x4: "power-cap",
    0x8: "hw-slowdown",
    0x20: "sw-thermal",
    0x40: "hw-thermal",
    0x80: "hw-power-brake",
}
"""Bits of a throttle mask that mean the card runs slower than asked; idle and fixed clocks do not. They are
NVML's bits, which records and traces hold for cards of every vendor."""


class GpuState(OpenModel):
    """Readings of a card at one moment; `None` where it has no such reading."""

    temperature_c: Number | None = None
    sm_clock_mhz: Number | None = None
    memory_clock_mhz: Number | None = None
    throttle_mask: int | None = None
    utilisation_percent: Number | None = None


class Provenance(OpenModel):
    """Conditions of a measurement, and what is needed to repeat it."""

    command: str | None = None
    """`null` for a program's own windows: its arguments may contain a secret."""
    created: str | None = None
    """Start of a program's first window; a record has a field of its own for that."""
    libraries: dict[str, str] = Field(default_factory=dict)
    git: CodeVersion | None = None
    environment: dict[str, str] = Field(default_factory=dict)
    clock: ClockReading | None = None
    load_average_1m: Number | None = None
    expected_gpus: str | None = None
    """Model and number of cards that the run was asked to have; `null` where it was not."""
    gpus_at_start: dict[str, GpuState] = Field(default_factory=dict)
    """By UUID."""

    @property
    def commit(self) -> str | None:
        """The commit of the code under test, where it is known."""
        return self.git.commit if self.git else None
