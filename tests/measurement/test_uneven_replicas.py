"""A record says so where replicas waited for one another for much of its time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.catalog.cases import Planned
from bench.catalog.models import Measure
from bench.core.machine import Machine
from bench.core.provenance import Provenance
from bench.core.record import Record
from bench.measurement import build_record
from bench.measurement.build_record import CaseFacts
from bench.measurement.case_state import CaseState
from tests.support import factory
from tests.support.served.producing import case

FACTS = CaseFacts("2026-01-31T12:00:00Z", "run", Machine(), Provenance())


def built(share: float, replicas: int = 4) -> Record:
    planned = Planned(
        replace(case(), replicas=replicas), Measure(target=0.05, max_seconds=60.0, min_blocks=5)
    )
    seen = {"replicas": {"items": [3] * replicas, "uneven_share": share}}
    blocks = [factory.block(observed=seen) for _ in range(5)]
    state = CaseState(planned.case, blocks=blocks, ended_by="target")
    return build_record.record(planned, state, factory.CARBON, FACTS)


def test_it_warns_beyond_the_limit_and_the_figure_stays() -> None:
    found = built(0.12)
    assert found.status == "ok"
    assert found.headline() is not None
    assert found.reasons == [
        "replicas uneven: in 12% of the time not all of the 4 worked (limit 5%), "
        "so joules of waiting cards are in the figure. Let a block have more batches, with --block-seconds."
    ]


@pytest.mark.parametrize("share", [0.0, 0.05])
def test_it_says_nothing_up_to_the_limit(share: float) -> None:
    assert built(share).reasons == []
