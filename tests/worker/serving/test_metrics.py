"""What a server states at `/metrics` is on the record of each window, and judges whether it was full."""

from __future__ import annotations

import pytest

from bench.measurement.served_rules import SERVED_RULES
from bench.worker.serving import server_metrics
from bench.worker.serving.server_metrics import parse
from tests.support.factory import block
from tests.support.served.producing import case, window
from tests.support.served.server import Manners, serving


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_metrics, "LOOK_S", 0.03)


@pytest.mark.parametrize("whose", ["vllm", "sglang", "llamacpp"])
def test_running_requests_and_hits_of_the_prefix_cache_are_the_servers(whose: str) -> None:
    with serving(Manners(metrics=whose, cached_share=0.3)) as url:
        for _ in range(10):  # a busy machine has the client ask late, and the server run less meanwhile
            found = window(case(kind="concurrency", load=4), url, 1.0).served
            assert found is not None
            assert found.stated_running is not None
            assert found.stated_running_share == found.stated_running / 4
            if found.stated_running == pytest.approx(4, rel=0.25):
                break
        else:
            pytest.fail("fewer than three of four were running in each of ten windows")
    assert found.stated_waiting == 0
    assert found.cache_hit_share == pytest.approx(0.3, abs=0.02)
    assert "prefix-cache-hits" in found.reason_codes
    assert "cache_hit_share" not in found.absent


def test_a_server_without_metrics_has_a_reason_in_their_place() -> None:
    with serving(Manners()) as url:
        found = window(case(kind="concurrency", load=2), url, 0.1).served
    assert found is not None
    assert found.stated_running is None
    assert found.absent["stated_running"] == "the server has no metric of its running requests"
    assert found.absent["cache_hit_share"] == "the server has no metric of its prefix cache"
    assert found.reason_codes == []


def test_a_page_is_summed_over_engines_and_what_is_no_number_is_passed_over() -> None:
    page = """# HELP vllm:num_requests_running x
vllm:num_requests_running{engine="0"} 3.0
vllm:num_requests_running{engine="1"} 4
vllm:generation_tokens_total{engine="0"} 1.5e+03
vllm:prompt_tokens_total NaN
nonsense
other:metric{a="}"} many
"""
    assert parse(page) == {"running": 7.0, "output_tokens": 1500.0}
    assert parse("<html>not found</html>") == {}


def test_a_window_is_saturated_by_the_servers_own_number_where_it_has_one() -> None:
    (rule,) = [each for each in SERVED_RULES if each.name == "not saturated"]
    with serving(Manners(running=4, metrics="vllm")) as url:
        found = window(case(kind="saturated", load=4, requests=40), url).served
    assert found is not None
    long = block(300.0, seconds=40.0)
    for share, says in ((0.9, None), (0.5, "2.0 requests ran at a time, 50% of the load by its own metrics")):
        found.stated_running, found.stated_running_share = 4 * share, share
        long.observed.served = found
        sentence = rule.broken(long, rule.limit or 0.0)
        assert sentence is None if says is None else str(sentence).startswith(says)
