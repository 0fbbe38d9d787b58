"""The one way into a measurement: `run(plan, context)`.

    outcome = run(CasePlan(cases, gpus="0"), RunContext(Path("results"), listener))

The command line, a test and a process that was started for it call the same. Plans and what comes of them are
plain data that pickle; where the work runs is decided where `run` is called.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from bench.measurement.context import NoteListener, RunContext
from bench.measurement.instruments import Instruments

Needed = TypeVar("Needed", bound=NoteListener, contravariant=True)
Result = TypeVar("Result", covariant=True)


class Plan(Protocol[Needed, Result]):
    """Plan of a measurement: plain data that pickles."""

    def measure(self, instruments: Instruments, context: RunContext[Needed]) -> Result:
        """Take the instruments that it needs, and measure. Raises BenchError for what a user can mend."""


def run(plan: Plan[Needed, Result], context: RunContext[Needed]) -> Result:
    """Measure on this machine, with instruments that are closed at the end, however it comes."""
    with Instruments(context.results, context.listener.note) as instruments:
        return plan.measure(instruments, context)
