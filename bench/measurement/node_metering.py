"""Metering by the agents of a server's nodes in place of this machine: windows, idle power, the record.

    window, found = metered(nodes, window)        # the window with the joules of all nodes
    idle_power(nodes, settle_s=2.0, seconds=10.0)
    with_nodes(machine, nodes)

What this machine draws meanwhile is the client's and is in no figure.
"""

from __future__ import annotations

import time
from dataclasses import replace

from bench.core.machine import Machine
from bench.core.observed import Observed
from bench.core.served import ServedWindow
from bench.measurement.idle import IdlePower
from bench.meters.metered_window import MeteredWindow
from bench.meters.nodes.serving_nodes import NodesWindow, ServingNodes

BY_NODES = "the server's joules are those of its nodes, by their metering agents"


def metered(nodes: ServingNodes, window: MeteredWindow) -> tuple[MeteredWindow, NodesWindow]:
    """The window with the joules of the nodes in place of this machine's, and all that they saw."""
    found = nodes.window(window.start_ns, window.end_ns)
    return replace(window, energy=found.energy, task=None), found


def observe(found: NodesWindow, observed: Observed, served: ServedWindow | None) -> None:
    """Add what the nodes saw to a block's observations."""
    observed.gpus, observed.counter_delay = found.gpus, found.counter_delay
    for gap in ("longest_sample_gap_s", "sample_gap_p99_s"):
        if (seen := getattr(found, gap)) is not None:
            setattr(observed, gap, seen)
    observed.absent = observed.absent | {"foreign_pids": "processes on the cards of nodes are not listed"}
    observed.foreign_pids = None
    if served is not None:
        served.reason_codes = [*served.reason_codes, *found.reason_codes]


def idle_power(nodes: ServingNodes, settle_s: float, seconds: float) -> IdlePower:
    """Power of every domain of the nodes over `seconds` in which nothing is asked of the server."""
    time.sleep(settle_s + nodes.margin_s)
    nodes.compare_clocks()
    start_ns = time.monotonic_ns()
    time.sleep(seconds)
    found = nodes.window(start_ns, time.monotonic_ns())
    power_w = {name: e.gross_j / seconds for name, e in found.energy.items() if e.gross_j is not None}
    absent = {name: e.reason or "no reading" for name, e in found.energy.items() if e.gross_j is None}
    return IdlePower(power_w, {}, {name: e.kind for name, e in found.energy.items()}, absent)


def with_nodes(machine: Machine, nodes: ServingNodes) -> Machine:
    """The machine of a record with the server's nodes, and their cards as the metered ones."""
    found = machine.model_copy()
    found.nodes = nodes.described()
    found.metered = [str(gpu.uuid) for node in found.nodes.values() for gpu in node.gpus]
    found.energy_sources = nodes.energy_sources
    found.calibration = nodes.calibrations
    found.device = None  # the model is on the nodes
    return found
