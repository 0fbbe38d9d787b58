"""A node's windows beside the stand-in: its agent's clock is seconds off, and power steps at the edges."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.fleet.meter_agent import listening
from bench.fleet.node_windows import NodeWindows
from bench.measurement.instruments import Instruments
from bench.meters.nodes.messages import MeterDescription, SamplesQuery, WindowQuery, WindowReply
from bench.meters.nodes.serving_nodes import ServingNodes
from tests.fleet.stepped_node import TOKEN, SkewedClock, address
from tests.standin import StandIn

SECOND = 1_000_000_000
IDLE_W, LOAD_W = 80.0, 400.0
WINDOW_S = 10


@dataclass
class Elsewhere:
    """The node's real meters, on a machine whose clock is another."""

    windows: NodeWindows
    clock: SkewedClock

    @property
    def session(self) -> str:
        return self.windows.session

    def description(self) -> MeterDescription:
        return self.windows.description()

    def window(self, query: WindowQuery) -> WindowReply:
        start_ns, end_ns = map(self.clock.true_ns, (query.start_ns, query.end_ns))
        return self.windows.window(query.model_copy(update={"start_ns": start_ns, "end_ns": end_ns}))

    def samples(self, query: SamplesQuery) -> bytes:
        return self.windows.samples(query)


@pytest.mark.slow
def test_joules_of_nodes_with_other_clocks_are_within_a_percent(standin: StandIn, tmp_path: Path) -> None:
    clocks = SkewedClock(3.7, 50.0), SkewedClock(-40.0, -50.0)
    for number in (0, 1):
        standin.load(number, 0, IDLE_W)
    standin.attach()
    with Instruments(tmp_path, lambda _: None) as instruments:
        cards = instruments.drivers.gpus
        instruments.start(cards)
        nodes_here = [
            Elsewhere(NodeWindows(instruments, [gpu]), clock)
            for gpu, clock in zip(cards, clocks, strict=True)
        ]
        with (
            listening(nodes_here[0], "127.0.0.1", 0, TOKEN, clocks[0]) as first,
            listening(nodes_here[1], "127.0.0.1", 0, TOKEN, clocks[1]) as second,
            ServingNodes((address("a", first.port), address("b", second.port)), TOKEN) as nodes,
        ):
            start_ns = time.monotonic_ns() + SECOND
            end_ns = start_ns + WINDOW_S * SECOND
            for number in (0, 1):
                standin.load(number, start_ns, LOAD_W + 100 * number)
                standin.load(number, end_ns, IDLE_W)
            nodes.compare_clocks()
            time.sleep((end_ns - time.monotonic_ns()) / 1e9)
            found = nodes.window(start_ns, end_ns)
            clocks_seen = [node.clock for node in nodes.described().values()]
        for gpu in cards:
            energy = found.energy[gpu.domain]
            truth_j = standin.true_energy_j(gpu.index, start_ns, end_ns)
            assert truth_j == pytest.approx(WINDOW_S * (LOAD_W + 100 * gpu.index), rel=1e-6)
            assert energy.gross_j == pytest.approx(truth_j, rel=0.01)
            assert energy.source == "counter-padded"
            assert energy.clock_u_j is not None
            assert 0 < energy.clock_u_j < 0.01 * truth_j
            assert found.gpus[gpu.uuid].counter_ticks
    for clock, seen in zip(clocks, clocks_seen, strict=True):
        assert seen is not None
        assert seen.offset_s == pytest.approx(clock.ahead_s, abs=0.05)
        assert seen.drift_ppm == pytest.approx(clock.fast_ppm, abs=1e6 * seen.uncertainty_s / WINDOW_S)
