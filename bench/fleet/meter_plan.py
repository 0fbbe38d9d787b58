"""Plan of a metering agent: the node's cards, locked, recorded and answered for until it is stopped.

run(MeterPlan(gpus="0,1", host="127.0.0.1", port=9200, token=token), RunContext(results, listener))
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.core.words import counted
from bench.errors import MeterError, PrerequisiteError
from bench.fleet.meter_agent import listening
from bench.fleet.node_windows import NodeWindows
from bench.machine.placement import named_cards
from bench.measurement.context import NoteListener, RunContext
from bench.measurement.instruments import Instruments

LOOK_S = 0.5


@dataclass(frozen=True)
class MeterPlan:
    """Settings of an agent; without `gpus` all cards of the node are metered."""

    gpus: str | None
    host: str
    port: int
    token: str = field(repr=False)

    def measure(self, instruments: Instruments, context: RunContext[NoteListener]) -> None:
        """Answer until the run is stopped. Raises BenchError where nothing can be metered."""
        drivers = instruments.drivers
        cards = named_cards(drivers, self.gpus, "--gpus") if self.gpus is not None else drivers.gpus
        instruments.lock(gpu.uuid for gpu in cards)
        instruments.start(cards)
        if not cards and not instruments.recorder.source_domains:
            raise PrerequisiteError(
                f"This machine has nothing to meter: {drivers.absent or 'no GPU was found'}.",
                "Look at `python -m bench doctor`.",
            )
        windows = NodeWindows(instruments, cards)
        with listening(windows, self.host, self.port, self.token) as server:
            others = counted(len(instruments.recorder.source_domains), "other domain")
            metered = f"{counted(len(cards), 'card')} and {others}"
            context.listener.note(f"Metering {metered}; listening on {self.host}:{server.port}.")
            while not context.stop.wait(LOOK_S):
                if not instruments.recorder.alive:
                    raise MeterError("The recorder process has ended.", "Start the agent again.")
