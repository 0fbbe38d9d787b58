"""A program that is one node of a fleet: measures a case, and writes what it would send.

python -m tests.fleet.one_node FOLDER SENT [REPLICAS GPUS]
"""

from __future__ import annotations

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from bench.catalog.cases import Overrides, plan
from bench.catalog.loading import load
from bench.catalog.models import Measure, Work
from bench.measurement import preflight
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


def replicated(replicas: int, gpus: str) -> CasePlan:
    """The same with replicas on these cards."""
    plan = planned(1, 5)
    (item,) = plan.cases
    item = replace(item, case=replace(item.case, replicas=replicas))
    return replace(plan, cases=(item,), gpus=gpus, device="cuda")


def main(folder: str, sent: str, replicas: str = "1", gpus: str = "0") -> None:
    """Describe, measure, and keep both answers; on a thread of a pool, as an actor does."""
    preflight.require_cuda = lambda *_: None
    asked = planned(1, 10) if replicas == "1" else replicated(int(replicas), gpus)
    node = MeteredNode(folder)
    with ThreadPoolExecutor(1) as actor:
        answers = actor.submit(node.describe, asked).result(), actor.submit(node.measure, asked).result()
    Path(sent).write_bytes(pickle.dumps(answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
