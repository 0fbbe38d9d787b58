"""Live view of this machine's meters, beside the work that runs on it.

    monitor = LiveMonitor(instruments.drivers, instruments.recorder, instruments.drivers.gpus, codecarbon)
    while True:
        time.sleep(1)
        now = monitor.look()
        print(now.totals["gpu"].power_w, now.totals["gpu"].energy_j)

A `LiveMonitor` keeps the account of joules and of who was on each card; a `Snapshot` is one moment of it.
The joules are those of a running total (`bench.meters.running_energy`), the power is the counter's
(`bench.meters.gpu_status`).
"""

from bench.measurement.live.monitor import LiveMonitor
from bench.measurement.live.snapshot import (
    DomainSnapshot,
    GpuSnapshot,
    GpuUserSnapshot,
    ScopeTotal,
    Snapshot,
    label,
)

__all__ = [
    "DomainSnapshot",
    "GpuSnapshot",
    "GpuUserSnapshot",
    "LiveMonitor",
    "ScopeTotal",
    "Snapshot",
    "label",
]
