"""Joules of a program's own work, metered as `bench run` meters a model.

    import bench

    with bench.measure(units=8, unit="image", gpus="0") as window:      # one window
        images = pipe(prompts)
    print(window.energy_j, window.energy_per_unit_j, window.valid, window.reasons)

    with bench.Meter(unit="image", gpus="0") as meter:                  # several, for an interval
        for batch in batches:
            with meter.window(units=len(batch)):
                pipe(batch)
    print(meter.result())

The same windows, validity rules and uncertainty budget as in a record: see `docs/energy-api.md`. The
metering of a program (`metering`) has the instruments, a window (`window`) is one stretch of work, a result
(`bench.core.energy_result`) what all of them come to.
"""

from bench.core.energy_result import EnergyResult
from bench.measurement.api.meter import MeasuredFunction, Meter, measure, measured
from bench.measurement.api.window import Window

__all__ = ["EnergyResult", "MeasuredFunction", "Meter", "Window", "measure", "measured"]
