"""Counts of tokens that differ: whose is wrong, and what follows for a window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.catalog.served_loads import keys_of
from bench.core.workload import Workload
from bench.engines.language.token_counter import TokenCounter
from bench.errors import EngineError
from bench.worker.producer import WorkRequest
from bench.worker.serving.account import account_of
from bench.worker.serving.client import Answer, Usage
from bench.worker.serving.saturation import require_long_enough
from bench.worker.serving.served_producer import ServedProducer
from bench.worker.serving.server_metrics import StatedLoad
from bench.worker.serving.terms import Terms
from bench.worker.serving.windows import Moments
from tests.support.served.producing import case, producer
from tests.support.served.server import Manners, serving


@pytest.mark.parametrize(
    ("stated", "pieces", "said"),
    [
        (40, 20, "The server states 40 tokens of an answer, and it came in 20 pieces (20 were asked for)."),
        (7, 7, "An answer has 7 tokens (length), 20 were asked for: the server ended it."),
    ],
)
def test_a_wrong_length_is_the_servers_count_or_its_end(stated: int, pieces: int, said: str) -> None:
    counter = TokenCounter(None, "no tokenizer")
    terms = Terms(Workload(kind="single", producer="endpoint"), "chat", 20, (0, 0), True, counter, None)
    answer = Answer(0, 1, pieces_ns=list(range(2, pieces + 2)), texts=["a text"], usage=Usage(5, stated))
    answer.end_ns, answer.finish = 100, "length"
    found = account_of([answer], Moments(0, 100), terms, [], StatedLoad())
    assert found.checks[0].problems == (said,)


def test_a_text_that_does_not_split_again_into_its_tokens_is_a_caveat_and_no_fault() -> None:
    class Splits(TokenCounter):
        def count(self, text: str) -> int:
            return 3 * len(text.split())

    with serving(Manners()) as url, producer(case(), url) as made:
        assert isinstance(made, ServedProducer)
        made._terms = replace(made._terms, counter=Splits(object()))
        found = made.produce(WorkRequest(0.1, batches=1)).served
    assert found is not None
    assert found.counted_tokens == 3 * (found.stated_tokens or 0)
    assert found.reason_codes == ["recount-differs"]


@pytest.mark.parametrize(
    ("text", "codes"), [("a b\ufffd c", ["recount-differs"]), ("a b c", ["usage-disagrees"])]
)
def test_texts_with_replaced_bytes_are_not_held_against_usage(text: str, codes: list[str]) -> None:
    class Splits(TokenCounter):
        def count(self, text: str) -> int:
            return 10 * len(text.split())

    terms = Terms(
        Workload(kind="single", producer="endpoint"), "chat", 20, (0, 0), True, Splits(object()), None
    )
    answer = Answer(0, 1, pieces_ns=list(range(2, 14)), texts=[text], usage=Usage(5, 20))
    answer.end_ns, answer.finish = 100, "length"
    found = account_of([answer], Moments(0, 100), terms, [], StatedLoad())
    assert found.window.reason_codes == codes
    assert found.checks[0].problems == ()


def test_a_saturated_window_that_would_be_too_short_is_refused_with_a_number_that_does() -> None:
    workload = Workload(kind="saturated", load=8, producer="endpoint", requests=100)
    require_long_enough(workload, 3.0)  # 91 requests, 8 at a time, 3 s each: 34 s
    require_long_enough(workload, 0.0)  # nothing is known of its answers
    with pytest.raises(EngineError) as caught:
        require_long_enough(workload, 0.4)
    assert "about 4.5 s, and a saturated window needs 30 s" in str(caught.value)
    assert caught.value.missing
    asked = keys_of((caught.value.remedy or "").split("--workload ")[1].rstrip("."))["workload"]
    require_long_enough(asked, 0.4)
    assert asked.requests == 789
