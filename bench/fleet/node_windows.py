"""Windows of one node for a metering agent: the recorder's samples between two moments of its clock.

    windows = NodeWindows(instruments, gpus)
    windows.window(WindowQuery(start_ns=..., end_ns=..., clock_u_s=0.001))      # WindowReply

The estimator is that of `bench run` for a load that goes on (`MeterSet.sampled`): inside are the node's cards
and every energy source that it has; nothing is estimated.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

import bench
from bench.calibrate import delays_s
from bench.core.arrays import Floats
from bench.machine.clock_sync import clock_sync
from bench.measurement import blocks
from bench.measurement.instruments import Instruments
from bench.meters import sampling
from bench.meters.gpu import Gpu
from bench.meters.meter_set import MeterSet
from bench.meters.nodes.messages import MeterDescription, SamplesQuery, WindowQuery, WindowReply
from bench.meters.sample_buffer import ROW
from bench.meters.ticks import USUAL_TICK_S

LEAST_SIDE_S = 0.3
"""Power beside an edge is taken over this time at least: three ticks of a usual counter."""


class NodeWindows:
    """The node's meters; one window at a time."""

    def __init__(self, instruments: Instruments, gpus: Sequence[Gpu]) -> None:
        self._instruments, self._gpus = instruments, tuple(gpus)
        delays = delays_s(instruments.calibrations)
        self._meter_set = MeterSet(instruments.drivers, instruments.recorder, None, self._gpus, delays)
        self._lock = threading.Lock()
        self.session = uuid4().hex

    def description(self) -> MeterDescription:
        """What is metered here."""
        machine, used = self._instruments.machine, {gpu.uuid for gpu in self._gpus}
        sources = self._meter_set.energy_sources
        return MeterDescription(
            session=self.session,
            joulebench=bench.__version__,
            machine=machine.name,
            machine_id=machine.id,
            driver=machine.driver,
            gpus=[gpu for gpu in machine.gpus if gpu.uuid in used],
            domains={domain: name for name, source in sources.items() for domain in source.domains},
            energy_sources=sources,
            calibration={uuid: kept for uuid, kept in machine.calibration.items() if uuid in used},
            margin_s=self._meter_set.margin_s,
            sync=clock_sync(),
        )

    def window(self, query: WindowQuery) -> WindowReply:
        """Joules between two moments of CLOCK_MONOTONIC here; waits for what comes after the window."""
        start_ns, end_ns = query.start_ns, query.end_ns
        side_s = max(LEAST_SIDE_S, query.clock_u_s)
        with self._lock:
            meter_set, recorder = self._meter_set, self._instruments.recorder
            time.sleep(max(0.0, (end_ns - time.monotonic_ns()) / 1e9))
            window = meter_set.remove_tick_error(meter_set.sampled(start_ns, end_ns))
            after_s = side_s + USUAL_TICK_S  # the counter moves once more by then
            recorder.wait_past(end_ns + round(after_s * 1e9), after_s + 1.0, sampling.FAST)
            seen = blocks.observe(recorder, self._gpus, window)
            steps = {domain: self._edge_step_w(domain, query, side_s) for domain in window.energy}
        return WindowReply(
            session=self.session,
            energy=window.energy,
            edge_step_w=steps,
            gpus=seen.gpus,
            counter_delay=seen.counter_delay,
            longest_sample_gap_s=seen.longest_sample_gap_s,
            sample_gap_p99_s=seen.sample_gap_p99_s,
        )

    def samples(self, query: SamplesQuery) -> bytes:
        """The recorder's rows of one domain, in time; none of a domain that is not sampled here."""
        recorder = self._instruments.recorder
        kinds: dict[str, tuple[int, tuple[int, ...]]] = {
            gpu.domain: (gpu.index, (sampling.FAST, sampling.SLOW)) for gpu in self._gpus
        }
        kinds |= {name: (at, (sampling.SOURCE,)) for at, name in enumerate(recorder.source_domains)}
        index, wanted = kinds.get(query.domain, (0, ()))
        found = [recorder.select(kind, index, query.start_ns, query.end_ns) for kind in wanted]
        chosen = np.concatenate([np.empty(0, ROW), *found])
        in_time: bytes = chosen[np.argsort(chosen["t_ns"], kind="stable")].tobytes()
        return in_time

    def _edge_step_w(self, domain: str, query: WindowQuery, side_s: float) -> float:
        """Joules that a second of shift would change: later gains what follows the end and loses what
        follows the start, earlier the other way round. Where samples do not reach, all of the power."""
        t_ns, joules = self._curve(domain, query, side_s)
        side_ns = round(side_s * 1e9)
        edges_ns = [edge + by for edge in (query.start_ns, query.end_ns) for by in (-side_ns, 0, side_ns)]
        if len(t_ns) < 2:
            return 0.0
        at_j = np.interp(np.array(edges_ns) - t_ns[0], t_ns - t_ns[0], joules)
        before_start, after_start, before_end, after_end = (
            float(at_j[later] - at_j[earlier]) / side_s for earlier, later in ((0, 1), (1, 2), (3, 4), (4, 5))
        )
        return max(abs(after_end - after_start), abs(before_start - before_end))

    def _curve(self, domain: str, query: WindowQuery, side_s: float) -> tuple[NDArray[np.int64], Floats]:
        """Moments at which a domain's counter moved, from before a window to after it, and joules then."""
        recorder = self._instruments.recorder
        margin_s = side_s + 1.0
        for gpu in self._gpus:
            if gpu.domain == domain:
                return recorder.counter_curve(gpu.index, query.start_ns, query.end_ns, margin_s)
        margin_ns = round(margin_s * 1e9)
        return recorder.readings(domain, query.start_ns - margin_ns, query.end_ns + margin_ns)
