"""Metering by the agents of a server's nodes in place of this machine: windows, idle power, the record.

    metering = NodeMetering(nodes, note)
    metering.begin()                              # before the load
    window = metering.metered(window)             # with the joules of all nodes
    machine_of(nodes)                             # of the record

What this machine draws meanwhile is the client's and is in no figure.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace

from bench.core.machine import Machine
from bench.core.observed import Observed
from bench.core.served import ServedWindow
from bench.core.words import counted
from bench.machine import provenance
from bench.measurement.idle import IdlePower
from bench.meters.metered_window import MeteredWindow
from bench.meters.nodes.serving_nodes import NodesWindow, ServingNodes

BY_NODES = "the server's joules are those of its nodes, by their metering agents"
NOT_LISTED = "processes on the cards of nodes are not listed"


class NodeMetering:
    """Nodes of one case; `note` receives a sentence where one is lost."""

    def __init__(self, nodes: ServingNodes, note: Callable[[str], object]) -> None:
        self._nodes, self._note = nodes, note
        self._found = NodesWindow()
        self._noted: set[str] = set()

    @property
    def why_not_here(self) -> str:
        """Joules are read on the nodes."""
        return BY_NODES

    def begin(self) -> float:
        """Compare clocks before a load; return for how long it has to be steady on either side of an edge."""
        self._nodes.compare_clocks()
        return self._nodes.margin_s

    def metered(self, window: MeteredWindow) -> MeteredWindow:
        """The window with the joules of the nodes in place of this machine's."""
        self._found = self._nodes.window(window.start_ns, window.end_ns)
        for name, reason in self._nodes.lost.items():
            if name not in self._noted:
                self._noted.add(name)
                self._note(f"Node {name}: {reason}. Blocks without it have no sum, and neither has the case.")
        return replace(window, energy=self._found.energy, task=None)

    def observe(self, observed: Observed, window: MeteredWindow, served: ServedWindow | None) -> None:  # noqa: ARG002
        """Add what the nodes saw in the last window."""
        found = self._found
        observed.gpus, observed.counter_delay = found.gpus, found.counter_delay
        for gap in ("longest_sample_gap_s", "sample_gap_p99_s"):
            if (seen := getattr(found, gap)) is not None:
                setattr(observed, gap, seen)
        observed.foreign_pids, observed.absent = None, observed.absent | {"foreign_pids": NOT_LISTED}
        if served is not None:
            served.reason_codes = [*served.reason_codes, *found.reason_codes]

    def idle(self, settle_s: float, seconds: float, enough_w: float | None) -> IdlePower:  # noqa: ARG002
        """Power of every domain over all of `seconds`, in which nothing is asked of the server."""
        time.sleep(settle_s + self._nodes.margin_s)
        self._nodes.compare_clocks()
        start_ns = time.monotonic_ns()
        time.sleep(seconds)
        end_ns = time.monotonic_ns()
        energy = self._nodes.window(start_ns, end_ns).energy
        over_s = (end_ns - start_ns) / 1e9
        power_w = {name: e.gross_j / over_s for name, e in energy.items() if e.gross_j is not None}
        absent = {name: e.reason or "no reading" for name, e in energy.items() if e.gross_j is None}
        return IdlePower(power_w, {}, {name: e.kind for name, e in energy.items()}, absent)


def machine_of(nodes: ServingNodes) -> Machine:
    """The nodes together as the machine of a record: what the work ran on."""
    described = nodes.described()
    cards = [gpu for node in described.values() for gpu in node.gpus]
    uuids = [str(gpu.uuid) for gpu in cards]
    unmetered = [name for name, node in described.items() if not node.domains]
    identity = hashlib.sha256(repr([*sorted(uuids), *unmetered]).encode()).hexdigest()[:8]
    title = provenance.title([str(gpu.name) for gpu in cards]) or "unmetered"
    drivers = dict.fromkeys(node.driver for node in described.values() if node.driver)
    return Machine(
        name=f"{title} over {counted(len(described), 'node')} {identity}",
        id=identity,
        gpus=cards,
        driver=", ".join(drivers) or None,
        calibration=nodes.calibrations,
        metered=uuids,
        energy_sources=nodes.energy_sources,
        nodes=described,
        absent=dict.fromkeys(("cpu", "memory_bytes", "os", "device"), "the work ran on several machines"),
    )
