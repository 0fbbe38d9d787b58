"""A producer of a served case, without meters: what it answers, and what it raises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.catalog.cases import Case
from bench.catalog.models import Model
from bench.catalog.server_spec import ServerSpec
from bench.core import modalities
from bench.core.modalities.text import TextOptions
from bench.core.modality import Options
from bench.core.weights import Weights
from bench.core.workload import Workload
from bench.machine.placement import Placement
from bench.worker import producers
from bench.worker.producer import Produced, Producer, ProducerSetup, WorkRequest

TOKENS = 20


def case(
    spec: dict[str, Any] | None = None,
    tokens: int = TOKENS,
    *,
    options: Options | None = None,
    engine: str = "text",
    **window: Any,
) -> Case:
    """A case of a model called `tiny`, asked for in a window: text, unless it has other `options`."""
    model = Model(
        engine=engine,
        unit=modalities.get(engine).unit,
        family="Tiny",
        licence="none",
        gated=False,
        parameters_b=0.001,
        memory_gb=0.002,
        hub_id="nobody/tiny",
        revision="main",
        serve=ServerSpec.model_validate({"name": "tiny", "answer_seconds": 2.0} | (spec or {})),
    )
    weights = Weights(kind="hub", hub_id=model.hub_id, revision=model.revision)
    workload = Workload.model_validate({"kind": "single", "producer": "endpoint"} | window)
    chosen = options or TextOptions(new_tokens=tokens)
    return Case("tiny", model, weights, "float32", 1, 0, chosen, workload=workload)


@contextmanager
def producer(of: Case, url: str | None, logs: Path | None = None, **setup: Any) -> Iterator[Producer]:
    """The producer of a case on the CPU, loaded."""
    asked = ProducerSetup(Placement("cpu"), endpoint=url, logs=logs, **setup)
    with producers.of(of.workload).create(asked) as made:
        made.load(of)
        yield made


def window(of: Case, url: str | None, seconds: float = 0.4, *, warmup: bool = False) -> Produced:
    """One window of a case."""
    with producer(of, url) as made:
        return made.produce(WorkRequest(seconds, batches=None if warmup else 1))
