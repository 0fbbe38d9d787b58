"""Workload: how output is asked for, and of which producer; part of a case.

Workload()                                                   # batch after batch, of a worker process
Workload(kind="single", producer="endpoint")                 # one request after another, of a server
Workload(kind="concurrency", load=8, producer="endpoint")    # eight requests at once, of a server
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, LiteralString, Self

from pydantic import Field, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from bench.core.model import Strict

WorkloadKind = Literal["closed", "saturated", "concurrency", "rate", "single"]
LOCAL = "worker"
ENDPOINT = "endpoint"
WITHOUT_LOAD = ("closed", "single")
WHOLE_LOAD = ("concurrency", "saturated")
LEAST_SATURATED_S = 30.0
"""Shortest window of `saturated` that counts; ML.ENERGY's benchmark takes 20 s."""


class Workload(Strict):
    """The offered load of a case.

    `closed`: batch after batch, each when the one before is done; `single`: one request after another;
    `concurrency`: `load` requests at once; `rate`: `load` requests a second, with Poisson arrivals;
    `saturated`: `requests` sent at once to a server that runs `load` of them at a time. `producer` makes the
    output: a file of `bench/worker/producers`.
    """

    kind: WorkloadKind = "closed"
    load: Annotated[float, Field(gt=0)] | None = None
    producer: str = LOCAL
    requests: Annotated[int, Field(ge=8, le=100_000)] | None = None
    """Of `saturated`: how many requests a window has."""
    prompt_tokens: Annotated[int, Field(ge=16, le=1_000_000)] | None = None
    """Length that prompts of a server are made to have; `None` leaves them as they are in the prompt set."""
    ends: Literal["length", "model"] = "length"
    """Whether an answer of a server has the case's length exactly, or ends where the model ends it."""

    @property
    def name(self) -> str:
        """The window: `concurrency 8`."""
        return " ".join([self.kind] + ([f"{self.load:g}"] if self.load is not None else []))

    @property
    def label(self) -> str:
        """`concurrency 8 by endpoint`; empty for batch after batch of a worker."""
        parts = [self.name] if self.kind != "closed" else []
        parts += [f"of {self.requests}"] if self.requests is not None else []
        parts += [f"prompts of {self.prompt_tokens}"] if self.prompt_tokens is not None else []
        parts += ["to the model's end"] if self.ends == "model" else []
        return " ".join(parts + ([f"by {self.producer}"] if self.producer != LOCAL else []))

    @property
    def of_requests(self) -> bool:
        """Whether requests are sent to a server, and no batches made one after the other."""
        return self.kind != "closed"

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        """One workload has one form, and so one hash."""
        if self.kind in WITHOUT_LOAD and self.load is not None:
            raise _mistake("`{kind}` has no `load`", self.kind)
        if self.kind not in WITHOUT_LOAD and self.load is None:
            raise _mistake("`{kind}` needs a `load`", self.kind)
        if self.kind in WHOLE_LOAD and self.load != int(self.load or 0):
            raise _mistake("the `load` of `{kind}` is a whole number", self.kind)
        if (self.kind == "saturated") != (self.requests is not None):
            has = "needs" if self.kind == "saturated" else "has no"
            raise _mistake(f"`{{kind}}` {has} `requests`", self.kind)
        if self.requests is not None and self.requests < 2 * (self.load or 0) + 2:
            raise _mistake("the `requests` of `{kind}` are more than twice its `load`", self.kind)
        return self

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        """What was added later is written only where it is set, so that older hashes stay what they were."""
        always = {"kind": self.kind, "load": self.load, "producer": self.producer}
        ends = self.ends if self.ends != "length" else None
        later = {"requests": self.requests, "prompt_tokens": self.prompt_tokens, "ends": ends}
        return always | {key: value for key, value in later.items() if value is not None}

    def identity(self) -> dict[str, Any]:
        """The keys of a case that it adds: none for batch after batch of a worker, as in all older cases."""
        return {} if self == CLOSED else {"workload": self.model_dump()}


def _mistake(text: LiteralString, kind: str) -> PydanticCustomError:
    return PydanticCustomError("workload", text, {"kind": kind})


CLOSED = Workload()
"""Batch after batch of a worker process."""
