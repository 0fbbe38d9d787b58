"""A live view of this machine's meters, beside whatever runs on it.

    lookout = Lookout(instruments.nvml, instruments.recorder, instruments.nvml.gpus, codecarbon)
    while True:
        time.sleep(1)
        look = lookout.look()
        print(look.totals["gpu"].power_w, look.totals["gpu"].energy_j)

A `Lookout` keeps the account of joules and of who was on each card; a `Look` is one moment of it. The joules
are those of a tally (`bench.meters.tally`), the power is the counter's (`bench.meters.latest`).
"""

from bench.runner.live.look import Card, DomainLook, Look, Total, UserLook, label
from bench.runner.live.lookout import Lookout

__all__ = ["Card", "DomainLook", "Look", "Lookout", "Total", "UserLook", "label"]
