"""Meters: they read energy, and do not decide when.

A meter has domains (`gpu:<uuid>`, `cpu:package-0`, `dram:0`, ...) and for each of them a cumulative
reading. A `MeterSet` bundles the meters of this machine for one case and turns two moments into joules:

    meter_set = MeterSet(drivers, recorder, codecarbon, drivers.gpus)
    opened = meter_set.open()
    ...                       # the work, ending with a synchronised device
    window = meter_set.close(opened)
    window.energy["gpu:GPU-..."].gross_j

A domain that cannot be read is absent with a reason; it never reads 0.
"""
