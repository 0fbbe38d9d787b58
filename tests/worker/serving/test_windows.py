"""Windows of a served load: what lies between their edges, by the server's own book as well."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.worker.producer import Produced, Producer, WorkRequest
from bench.worker.serving.requests import Requests
from tests.support.served.producing import TOKENS, case, producer, window
from tests.support.served.server import Manners, serving


def seen(produced: Produced) -> Any:
    assert produced.served is not None
    return produced.served


def duration_s(produced: Produced) -> float:
    return (produced.end_ns - produced.start_ns) / 1e9


def test_single_holds_whole_requests_one_after_another() -> None:
    with serving(Manners()) as url, producer(case(), url) as made:
        produced = made.produce(WorkRequest(0.3, batches=1, margin_s=0.1))
        checked = made.check(None, "x")
    assert 0.3 <= duration_s(produced) < 0.6
    assert produced.steady
    assert produced.shares == (1.0,) * len(produced.batches)
    assert len(produced.done) == len(produced.batches) == seen(produced).finished
    assert seen(produced).output_tokens == TOKENS * len(produced.batches)
    assert [check.tokens for check in checked.found] == [(TOKENS,)] * len(produced.batches)
    assert [phase.name for phase in produced.batches[0].phases] == ["prefill", "decode"]
    starts = sorted(batch.start_ns for batch in produced.batches)
    ends = sorted(batch.end_ns for batch in produced.batches)
    assert all(start >= end for start, end in zip(starts[1:], ends, strict=False)), "never two at once"


def test_concurrency_holds_its_number_and_counts_what_was_received_inside() -> None:
    with serving(Manners()) as url:
        produced = window(case(kind="concurrency", load=4), url)
    found = seen(produced)
    assert found.window == "concurrency 4"
    assert (found.open_at_start, found.open_at_end) == (4, 4)
    assert found.finished == len(produced.done) >= 4
    assert 1 < found.running <= 4, "less than 4 by the time before first tokens"
    assert found.running_share == found.running / 4
    inside = sum(share * TOKENS for share in produced.shares)
    assert found.output_tokens == pytest.approx(inside)
    assert found.output_tokens < TOKENS * len(produced.batches), "those across an edge count in part"
    assert produced.batches[0].phases == (), "requests lie over each other"


def in_time(made: Producer, request: WorkRequest) -> Any:
    """The first window that a busy machine does not hold up: in the rest of a longer one nothing is due."""
    for _ in range(30):
        produced = made.produce(request)
        late_s = seen(produced).late_s  # `None` where all of them were held up past its end
        if duration_s(produced) < 0.55 and late_s is not None and late_s.p99 < 0.05:
            return seen(produced)
    raise AssertionError("the machine held up thirty windows")


def test_a_rate_has_the_arrivals_of_its_seed_and_says_how_late_they_were() -> None:
    with serving(Manners()) as url, producer(case(kind="rate", load=40), url) as made:
        even = in_time(made, WorkRequest(0.5))
        chance = in_time(made, WorkRequest(0.5, batches=1))
    assert even.offered_per_s == pytest.approx(40, rel=0.15), "a warm-up round is even"
    assert chance.offered_per_s == pytest.approx(40, rel=0.6)
    assert chance.late_s.n >= 5
    assert 0 <= chance.late_s.median < 0.05
    assert chance.running_share is None


def test_saturated_opens_at_the_first_tokens_and_closes_before_the_server_runs_empty() -> None:
    """The window of ML.ENERGY's benchmark, version 3: B first tokens, then all but B + 1 at their end."""
    with serving(Manners(running=4)) as url:
        produced = window(case(kind="saturated", load=4, requests=40), url)
    ends = np.sort([batch.end_ns for batch in produced.batches])
    assert produced.end_ns == ends[40 - 4 - 2], "the 35th of 40 ends"
    assert len(produced.batches) == 40
    assert seen(produced).open_at_end == 5
    assert seen(produced).finished == 35
    assert seen(produced).running_share > 0.85
    assert min(batch.start_ns for batch in produced.batches) < produced.start_ns


def test_a_saturated_case_is_warmed_up_with_the_load_and_not_with_all_its_requests() -> None:
    with serving(Manners(running=4)) as url:
        produced = window(case(kind="saturated", load=4, requests=4000), url, warmup=True)
    assert seen(produced).open_at_start == 4
    assert len(produced.batches) < 60


def test_prompts_are_unique_over_all_windows_and_as_long_as_asked_for() -> None:
    manners = Manners(input_tokens=2.0)
    with serving(manners) as url, producer(case(kind="concurrency", load=3, prompt_tokens=400), url) as made:
        for _ in range(2):
            made.produce(WorkRequest(0.2, batches=1))
        checked = made.check(None, "x")
    texts = [asked["messages"][0]["content"] for asked in manners.seen]
    assert len(set(texts)) == len(texts) > 10
    assert len({text[:16] for text in texts}) == len(texts), "and differ from their beginning on"
    assert {round(len(text.split()) * 2 / 400, 2) for text in texts[3:]} == {1.0}
    assert not any(check.problems for check in checked.found)


def test_requests_say_what_was_agreed_and_nothing_else() -> None:
    manners = Manners()
    with serving(manners) as url:
        window(case(), url, seconds=0.05)
        window(case({"api": "completions", "extra": {"min_tokens": 5}}), url, seconds=0.05)
        window(case(ends="model"), url, seconds=0.05)
    plain, free = manners.seen[1], manners.seen[-1]
    assert {**plain, "messages": None} == {
        "model": "tiny",
        "max_tokens": TOKENS,
        "temperature": 0,
        "seed": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": None,
        "ignore_eos": True,
    }
    assert any("prompt" in asked and asked.get("min_tokens") == 5 for asked in manners.seen)
    assert "ignore_eos" not in free


def test_an_answer_that_takes_longer_than_a_round_is_waited_for() -> None:
    with serving(Manners(token_s=0.02)) as url:
        produced = window(case(kind="concurrency", load=2), url, seconds=0.1)
    assert seen(produced).finished >= 2
    assert duration_s(produced) > 0.3


def test_a_field_that_was_left_out_is_not_stated() -> None:
    asked = case({"extra": {"temperature": None, "top_p": 0.9}})
    assert asked.model.serve is not None
    described = Requests(asked, asked.model.serve, "tiny").described()
    assert "temperature" not in described
    assert described["request fields"]["top_p"] == 0.9
