"""How output is asked for, and of whom: part of what a case is.

Workload()                                                   # batch after batch, of a worker process
Workload(kind="concurrency", load=8, producer="endpoint")    # eight requests at once, of a server
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from bench.core.model import Strict

WorkloadKind = Literal["closed", "saturated", "concurrency", "rate"]
LOCAL = "worker"


class Workload(Strict):
    """The offered load of a case.

    `closed`: batch after batch, each when the one before is done; `saturated`: as much at once as the engine
    takes; `concurrency`: `load` requests at once; `rate`: `load` requests a second. `producer` makes the
    output: a file of `bench/runner/producers`.
    """

    kind: WorkloadKind = "closed"
    load: Annotated[float, Field(gt=0)] | None = None
    producer: str = LOCAL

    @property
    def label(self) -> str:
        """`concurrency 8 by endpoint`; empty for batch after batch of a worker."""
        parts: list[str] = [self.kind] if self.kind != "closed" else []
        parts += [f"{self.load:g}"] if self.load is not None else []
        return " ".join(parts + ([f"by {self.producer}"] if self.producer != LOCAL else []))

    def identity(self) -> dict[str, Any]:
        """The keys of a case that it adds: none for batch after batch of a worker, as in all older cases."""
        return {} if self == CLOSED else {"workload": self.model_dump()}


CLOSED = Workload()
"""Batch after batch of a worker process."""
