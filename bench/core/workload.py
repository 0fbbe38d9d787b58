"""Workload: how output is asked for, and of which producer; part of a case.

Workload()                                                   # batch after batch, of a worker process
Workload(kind="concurrency", load=8, producer="endpoint")    # eight requests at once, of a server
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, LiteralString, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from bench.core.model import Strict

WorkloadKind = Literal["closed", "saturated", "concurrency", "rate"]
LOCAL = "worker"


class Workload(Strict):
    """The offered load of a case.

    `closed`: batch after batch, each when the one before is done; `saturated`: as much at once as the engine
    takes; `concurrency`: `load` requests at once; `rate`: `load` requests a second. `producer` makes the
    output: a file of `bench/worker/producers`.
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

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        """One workload has one form, and so one hash."""
        if self.kind in ("closed", "saturated") and self.load is not None:
            raise _mistake("`{kind}` has no `load`", self.kind)
        if self.kind in ("concurrency", "rate") and self.load is None:
            raise _mistake("`{kind}` needs a `load`", self.kind)
        if self.kind == "concurrency" and self.load != int(self.load or 0):
            raise _mistake("the `load` of `{kind}` is a whole number", self.kind)
        return self

    def identity(self) -> dict[str, Any]:
        """The keys of a case that it adds: none for batch after batch of a worker, as in all older cases."""
        return {} if self == CLOSED else {"workload": self.model_dump()}


def _mistake(text: LiteralString, kind: str) -> PydanticCustomError:
    return PydanticCustomError("workload", text, {"kind": kind})


CLOSED = Workload()
"""Batch after batch of a worker process."""
