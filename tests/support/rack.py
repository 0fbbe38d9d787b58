"""Records of a rack: machines with cards of several models, and a known spread between like cards.

rack(random.Random(1))                                  # two cases on twelve machines of four card models
save(folder, rack(random.Random(1), {"H200": 48}))      # one model, 48 machines
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.core.record import Record
from bench.store.results import slug
from tests.support import sample
from tests.support.factory import block, case, record

MACHINES = {"H100 80GB HBM3": 5, "H200": 4, "A100-SXM4-80GB": 2, "RTX 4090": 1}
"""Machines by card model."""
JOULES, WATTS = {"H100 80GB HBM3": 300.0, "H200": 260.0, "A100-SXM4-80GB": 520.0}, {"RTX 4090": 450.0}
"""Joules of a page and power limits; of other models 410 J and 700 W."""
SPREAD = 0.03
"""Relative standard deviation between cards of one model."""
NOISE = 0.005
"""That between blocks of one card."""
BLOCKS = 8
BATCHES = {1: 1.0, 8: 0.4}
"""Batches of the cases, with their joules over those of the first."""


def rack(
    chance: random.Random,
    machines: Mapping[str, int] | None = None,
    *,
    spread: float = SPREAD,
    cases: int = 2,
) -> Iterator[Record]:
    """A record a machine and case; each card deviates from its model by the same factor in all cases."""
    for model, number in (machines or MACHINES).items():
        for card in range(number):
            factor = math.exp(chance.gauss(0.0, spread))
            for batch, times in list(BATCHES.items())[:cases]:
                yield _record(chance, model, card, batch, times * factor * JOULES.get(model, 410.0))


def _record(chance: random.Random, model: str, card: int, batch: int, joules: float) -> Record:
    uuid = f"GPU-{model}-{card}"
    pages, watts = 100, 0.6 * WATTS.get(model, 700.0)
    each = [joules * pages * (1 + chance.gauss(0.0, NOISE)) for _ in range(BLOCKS)]
    blocks = [block(total, seconds=joules * pages / watts, units=pages, items=pages) for total in each]
    facts = {"uuid": uuid, "name": f"NVIDIA {model}", "power_limit_w": WATTS.get(model, 700.0)}
    machine = {"name": f"NVIDIA {model} {card:08x}", "id": uuid, "gpus": [facts], "metered": [uuid]}
    machine |= {"driver": "580.95", "device": "cuda"}
    label = f"bloom-560m bfloat16 batch {batch}"
    return record(blocks=blocks, machine=machine, case=case(batch=batch), label=label)


def save(folder: Path, records: Iterator[Record]) -> None:
    """Write each below the name of its machine, as runs do."""
    for each in records:
        sample.save(folder / slug(str(each.machine.name)) / f"batch-{each.case.batch}.json", each)
