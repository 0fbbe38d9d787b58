"""Producers, each a file of this folder. No list names them, and the procedure is the same for all.

A file defines `WORKLOADS`, the kinds of workload that it can do, `LOADS_HERE`, whether the model is loaded
here, by the code of a checkout, `ASKS_SERVER`, whether it asks the server that `--endpoint` names,
`STARTS_SERVER`, whether it starts one where none is named, `packages(case)`, which have to be installed for
it, and `create(setup)`.

    producers.of(case.workload).create(setup)       # a Producer, nothing loaded yet
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Protocol, cast

from bench.catalog.cases import Case
from bench.core.near_names import unknown
from bench.core.workload import Workload, WorkloadKind
from bench.errors import UsageError
from bench.worker.producer import Producer, ProducerSetup


class ProducerModule(Protocol):
    """Contents of a file of this folder."""

    WORKLOADS: frozenset[WorkloadKind]
    LOADS_HERE: bool
    ASKS_SERVER: bool
    STARTS_SERVER: bool

    def packages(self, case: Case) -> tuple[str, ...]:
        """Import names of the packages that this machine needs for a case."""

    def create(self, setup: ProducerSetup) -> Producer:
        """A producer that has loaded nothing yet. Raises EngineError."""


def names() -> tuple[str, ...]:
    """`worker`, and what else there is."""
    return tuple(file.name for file in pkgutil.iter_modules(__path__))


def of(workload: Workload) -> ProducerModule:
    """The file that makes output for such a workload. Raises UsageError where there is none, or it cannot."""
    if workload.producer not in names():
        raise unknown("producer", workload.producer, names())
    module = cast(ProducerModule, importlib.import_module(f"{__name__}.{workload.producer}"))
    if workload.kind not in module.WORKLOADS:
        able = ", ".join(sorted(module.WORKLOADS))
        raise UsageError(
            f'The producer "{workload.producer}" cannot do the workload `{workload.kind}`.', f"Use {able}."
        )
    return module
