"""A server with OpenAI's interface: started for the case, or up already and named with `--endpoint`.

What it is made of is in `bench/worker/serving`, and is imported only where a case asks for it.
"""

from __future__ import annotations

from bench.catalog.cases import Case
from bench.core.workload import WorkloadKind
from bench.worker.producer import Producer, ProducerSetup
from bench.worker.serving.apis import api_of

WORKLOADS: frozenset[WorkloadKind] = frozenset({"single", "concurrency", "rate", "saturated"})
LOADS_HERE = False
ASKS_SERVER = True
STARTS_SERVER = True


def packages(case: Case) -> tuple[str, ...]:
    """The HTTP client, and what decodes pictures; the model's own packages are the server's matter."""
    return ("httpx2", "PIL") if api_of(case) == "images" else ("httpx2",)


def create(setup: ProducerSetup) -> Producer:
    """A producer without a server yet: it is found or started when the case is loaded."""
    from bench.worker.serving.served_producer import ServedProducer

    return ServedProducer(setup)
