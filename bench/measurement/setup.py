"""Settings that all cases of one run share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.machine.expected_gpus import ExpectedGpus
from bench.machine.placement import Placement
from bench.measurement.cases_beside import CasesBeside
from bench.measurement.context import RunContext, RunListener
from bench.measurement.instruments import Instruments
from bench.meters.nodes.serving_nodes import ServingNodes


@dataclass(frozen=True)
class RunSetup:
    """Opened instruments, where the work runs, and what the plan sets for all cases."""

    instruments: Instruments
    context: RunContext[RunListener]
    placement: Placement
    country: str
    remote_code: frozenset[str] = frozenset()
    save_outputs: Path | None = None
    endpoint: str | None = None
    """URL of a server that is up already, for cases that a server makes."""
    logs: Path | None = None
    expected_gpus: ExpectedGpus | None = None
    nodes: ServingNodes | None = None
    """Nodes of that server, whose agents meter in place of this machine."""
    side_by_side: CasesBeside | None = None
    """Other cases that run at the same time, on other cards."""

    def stage(self, text: str) -> None:
        """Say what begins now. Raises KeyboardInterrupt where the run is to end."""
        self.context.check_stop()
        self.context.listener.stage(text)

    def note(self, text: str) -> None:
        """Say something worth knowing."""
        self.context.listener.note(text)

    def meanwhile(self) -> None:
        """About once a second while work goes on. Raises KeyboardInterrupt where the run is to end."""
        self.context.check_stop()
        self.context.listener.meanwhile()
