"""When a window of a server's load is set aside."""

from __future__ import annotations

from typing import Any

import pytest

from bench.core.block import Block
from bench.core.observed import Observed
from bench.core.served import Percentiles, ServedWindow
from bench.measurement.served_rules import SERVED_RULES
from bench.measurement.validity import judge
from tests.support import factory


def block(seconds: float = 40.0, **changes: Any) -> Block:
    """A block of a load that was held, but for what is changed."""
    held: dict[str, Any] = {
        "window": "concurrency 8",
        "finished": 200,
        "open_at_start": 8,
        "open_at_end": 8,
        "running": 7.5,
        "running_share": 0.94,
        "output_tokens": 4000.0,
        "output_tokens_by": "server usage",
        "stated_tokens": 4000,
        "prompts_unique": True,
        "end_to_end_s": Percentiles(median=2.0, p90=2.2, p99=2.4, n=200),
    }
    plain = factory.block(300.0)
    return plain.model_copy(
        update={
            "end_ns": plain.start_ns + round(seconds * 1e9),
            "observed": Observed(served=ServedWindow.model_validate(held | changes)),
        }
    )


def reasons(judged: Block) -> list[str]:
    """The rules of a load that a block breaks, by name."""
    return [reason.partition(":")[0] for reason in judge(judged, SERVED_RULES).reasons]


SATURATED = {"window": "saturated 8"}
LATE = Percentiles(median=0.1, p90=0.21, p99=0.3, n=80)
PUNCTUAL = Percentiles(median=0.1, p90=0.19, p99=0.3, n=80)


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, []),
        ({"failed": {"http-429": 2}}, []),
        ({"failed": {"http-429": 2, "stream-cut": 1}}, ["requests failed"]),
        ({"counted_tokens": 2000, "reason_codes": ["usage-disagrees"]}, ["token counts disagree"]),
        ({"running_share": 0.2}, []),
        (SATURATED, []),
        (SATURATED | {"running_share": 0.84}, ["not saturated"]),
        (SATURATED | {"seconds": 29.9}, ["not saturated"]),
        ({"late_s": PUNCTUAL, "offered_per_s": 2.0}, []),
        ({"late_s": LATE, "offered_per_s": 2.0}, ["client late"]),
        ({"offered_per_s": 2.0, "open_at_end": 8 + 11}, []),
        ({"offered_per_s": 2.0, "open_at_end": 8 + 12}, ["rate not kept"]),
        ({"offered_per_s": 20.0, "open_at_end": 8 + 79}, []),
        ({"offered_per_s": 20.0, "open_at_end": 8 + 81}, ["rate not kept"]),
    ],
)
def test_a_rule_is_broken_beyond_its_limit_and_not_before(changes: dict[str, Any], broken: list[str]) -> None:
    assert reasons(block(**changes)) == broken


def test_a_reason_holds_what_was_seen_its_limit_and_the_way_out() -> None:
    (failed,) = judge(block(failed={"http-500": 30, "silent": 20}), SERVED_RULES).reasons
    assert "50 of 250 requests failed (http-500 30, silent 20; limit 1%)" in failed
    (lied,) = judge(block(counted_tokens=2000, reason_codes=["usage-disagrees"]), SERVED_RULES).reasons
    assert "the server states 4000 output tokens, our tokenizer counts 2000" in lied


def test_blocks_of_a_worker_have_no_load_to_judge() -> None:
    assert judge(factory.block(300.0), SERVED_RULES).reasons == []
