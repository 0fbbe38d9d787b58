"""A program that is one node of a fleet: measures a case, and writes what it would send.

python -m tests.fleet.one_node FOLDER SENT
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from bench.catalog.cases import Overrides, plan
from bench.catalog.loading import load
from bench.catalog.models import Measure, Work
from bench.measurement.case_plan import CasePlan
from bench.worker.engine_spec import with_architecture
from tests.fleet.metered_node import MeteredNode
from tests.support.main_job import running


def planned(seed: int, seconds: float) -> CasePlan:
    """A case of that seed, whose blocks are two seconds long."""
    measure = Measure(block_seconds=2.0, max_seconds=seconds)
    asked = Overrides(work=Work(seed=seed), measure=measure, weights="random")
    (item,) = plan(load(running.CATALOGUE), ["tiny-bloom"], asked)
    case = type(item)(with_architecture(item.case), item.measure)
    return CasePlan((case,), skip="all", gpus="0", device="cpu", command=("run", "tiny-bloom"))


def main(folder: str, sent: str) -> None:
    """Describe, measure, and keep both answers."""
    node, asked = MeteredNode(folder), planned(1, 10)
    Path(sent).write_bytes(pickle.dumps((node.describe(asked), node.measure(asked))))


if __name__ == "__main__":
    main(*sys.argv[1:])
