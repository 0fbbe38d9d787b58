"""Figures of a server's load from its blocks, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from bench.core.block import Block
from bench.core.observed import Observed
from bench.core.served import Percentiles, ServedWindow
from bench.stats import token_figures
from bench.stats.served import served_figures
from tests.support import factory

GROSS_J, NET_J, SECONDS = 6000.0, 4500.0, 10.0


def block(window: str = "concurrency 8", first_s: float = 0.2, **changes: Any) -> Block:
    """Ten seconds with 6000 J, 4500 J of them net."""
    seen: dict[str, Any] = {
        "window": window,
        "finished": 50,
        "open_at_start": 8,
        "open_at_end": 8,
        "running": 7.5,
        "output_tokens": 1000.0,
        "output_tokens_by": "server usage",
        "input_tokens": 2000.0,
        "prompts_unique": True,
        "price_usd": 0.5,
        "ttft_s": Percentiles(median=first_s, p90=2 * first_s, p99=3 * first_s, n=50),
    }
    plain = factory.block(GROSS_J)
    energy = {
        name: each.model_copy(update={"gross_j": GROSS_J, "net_j": NET_J})
        for name, each in plain.energy.items()
    }
    return plain.model_copy(
        update={
            "end_ns": plain.start_ns + round(SECONDS * 1e9),
            "energy": {factory.GPU: energy[factory.GPU]},
            "observed": Observed(served=ServedWindow.model_validate(seen | changes)),
        }
    )


def test_joules_rates_and_idle_are_those_of_the_blocks() -> None:
    found = served_figures([block(), block()])
    assert found is not None
    tokens = token_figures.derive([block(), block()])
    assert tokens is not None
    read, total = tokens.per_input_token_j["gpu"], tokens.per_total_token_j["gpu"]
    assert read.gross is not None
    assert read.net is not None
    assert total.gross is not None
    assert (read.gross.value, read.net.value, total.gross.value) == (3.0, 2.25, 2.0)
    assert found.idle_power_w["gpu"] == pytest.approx(150.0)
    assert found.idle_share["gpu"].value == pytest.approx(0.25)
    assert found.requests_per_s is not None
    assert found.requests_per_s.value == pytest.approx(5.0)
    assert found.price_per_request_usd is not None
    assert found.price_per_request_usd.value == pytest.approx(0.01)


def test_a_latency_is_the_mean_of_the_blocks_percentiles_with_its_interval() -> None:
    found = served_figures([block(first_s=0.1), block(first_s=0.3)])
    assert found is not None
    assert found.ttft_s is not None
    assert found.ttft_s.median.value == pytest.approx(0.2)
    assert found.ttft_s.p99.value == pytest.approx(0.6)
    assert found.ttft_s.median.low is not None
    assert found.inter_token_s is None


def test_no_joules_belong_to_one_request_among_several() -> None:
    several, single = served_figures([block()] * 2), served_figures([block("single")] * 2)
    assert several is not None
    assert single is not None
    assert "no joules belong to a single one" in several.absent["energy_of_one_request_j"]
    assert single.absent == {}


def test_what_a_server_does_not_state_is_absent_with_the_reason() -> None:
    silent = block(input_tokens=None, price_usd=None, absent={"input_tokens": "it does not say"})
    found = served_figures([block(), silent])
    assert found is not None
    tokens = token_figures.derive([block(), silent])
    assert tokens is not None
    assert tokens.per_input_token_j == tokens.per_total_token_j == {}
    assert found.absent["energy_per_input_token_j"] == "it does not say"
    assert found.price_per_request_usd is None


def test_blocks_of_a_worker_have_no_such_figures() -> None:
    assert served_figures([factory.block(300.0)]) is None
    assert served_figures([]) is None
