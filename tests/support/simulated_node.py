"""A node of a fleet whose cases take a fixed time and nothing else, and give a record of usual size.

SimulatedNode("folder").measure(plan)     # sleeps JOULEBENCH_SIMULATED_S seconds, unless it has the record
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import bench
from bench.catalog.cases import Overrides, plan
from bench.catalog.loading import load
from bench.catalog.models import Work
from bench.fleet.node import MeasuredFiles, NodeFacts, NodeRunner
from bench.machine import provenance
from bench.measurement.case_plan import CasePlan
from bench.store.results import to_json, write_atomically
from tests.support.factory import record
from tests.support.main_job.running import CATALOGUE

SECONDS = "JOULEBENCH_SIMULATED_S"
NAME = "JOULEBENCH_SIMULATED_NAME"


class SimulatedNode(NodeRunner):
    """Neither loads a model nor reads a meter. Its records are in a folder of its name."""

    def _path(self, plan: CasePlan, place: int) -> Path:
        return self._folder / os.environ[NAME] / f"{plan.cases[place].case.as_mapping()['hash']}.json"

    def describe(self, plan: CasePlan) -> NodeFacts:
        """This node, which can make all cases, and those that it has measured."""
        measured = frozenset(at for at in range(len(plan.cases)) if self._path(plan, at).is_file())
        name, sources = os.environ[NAME], provenance.sources()
        return NodeFacts(name, ("simulated",), bench.__version__, sources, {}, measured)

    def measure(self, plan: CasePlan) -> MeasuredFiles:
        """Sleep and write a record, as a part of the case; the moments of its begin and end are beside it."""
        path, (item,) = self._path(plan, 0), plan.cases
        if not path.is_file():
            begun_s = time.monotonic()
            time.sleep(float(os.environ[SECONDS]))
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, to_json(record(label=item.case.label)))
            span = json.dumps({"begun_s": begun_s, "ended_s": time.monotonic()})
            path.with_suffix(f".{time.time_ns()}.span").write_text(span, encoding="utf-8")
        kept = {
            str(each.relative_to(self._folder)): each.read_bytes()
            for each in path.parent.glob(f"{path.stem}.*")
        }
        return MeasuredFiles(kept, (str(path.relative_to(self._folder)),), summary=item.case.label)


def planned(cases: int) -> CasePlan:
    """That many cases, which differ in their seed."""
    catalogue = load(CATALOGUE)
    found = [
        item
        for seed in range(cases)
        for item in plan(catalogue, ["tiny-bloom"], Overrides(work=Work(seed=seed), weights="random"))
    ]
    return CasePlan(tuple(found), skip="all", device="cpu", command=("run",))
