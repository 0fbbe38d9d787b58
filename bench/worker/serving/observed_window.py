"""One window of a load as its client saw it: requests, tokens, latencies, and what the server states of it.

window = observed_window(inside, counted, tallies, moments, terms, lag, stated)
window.finished, window.ttft_s, window.reason_codes
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from bench.core.served import Percentiles, ServedWindow
from bench.core.workload import WHOLE_LOAD, Workload
from bench.worker.serving import counts
from bench.worker.serving.apis import MEDIA, PATHS
from bench.worker.serving.client import Answer
from bench.worker.serving.counts import AnswerCount
from bench.worker.serving.loads import CLOSED
from bench.worker.serving.server_metrics import StatedLoad
from bench.worker.serving.terms import Terms
from bench.worker.serving.windows import Moments

OF_TOKENS = ("output_tokens", "stated_tokens", "counted_tokens", "input_tokens", "cached_input_share")
REPLACED = "\ufffd"
"""Character in place of invalid bytes: a text with it splits into other tokens."""
CACHE_HITS = 0.2
"""Share of prompts in the prefix cache from which on it is a reason code. Prompts begin with a mark that is
used once, so what is there is a chat template's beginning, or another client's."""


def observed_window(
    inside: Sequence[Answer],
    counted: Sequence[Answer],
    tallies: Sequence[AnswerCount],
    moments: Moments,
    terms: Terms,
    lag: Sequence[tuple[int, float]],
    stated: StatedLoad,
) -> ServedWindow:
    """What the client saw of the requests in a window, and what the server states of it."""
    start_ns, end_ns, workload = moments.start_ns, moments.end_ns, terms.workload
    done = [a for a in counted if a.whole and start_ns < (a.end_ns or 0) <= end_ns]
    media = terms.api in MEDIA
    output = None if media else sum(t.tokens * t.share for t in tallies)
    running = sum(_running_ns(a, moments, whole=media) for a in counted) / (end_ns - start_ns)
    found = ServedWindow(
        window=workload.name,
        finished=len(done),
        failed=dict(Counter(a.failure for a in inside if a.failure not in (None, CLOSED))),
        open_at_start=_open_at(inside, start_ns),
        open_at_end=_open_at(inside, end_ns),
        running=running,
        running_share=running / workload.load if workload.kind in WHOLE_LOAD and workload.load else None,
        output_tokens=output,
        prompts_unique=True,
        end_to_end_s=percentiles([((a.end_ns or 0) - a.sent_ns) / 1e9 for a in done]),
        client_lag_s=percentiles([late_s for at_ns, late_s in lag if start_ns <= at_ns <= end_ns]),
    )
    _note_rate(found, inside, moments)
    _note_stated(found, stated, terms.workload)
    if terms.api != "images":  # a picture has no first part: it comes whole
        found.ttft_s = percentiles([(a.first_ns - a.sent_ns) / 1e9 for a in done if a.first_ns is not None])
    if media:
        found.absent |= dict.fromkeys(OF_TOKENS, f"an answer of {PATHS[terms.api]} has no tokens")
        _note_codes(found, ())
        return found
    found.inter_token_s = percentiles([gap for a in done for gap in np.diff(a.pieces_ns) / 1e9])
    _note_counts(found, done, dict(zip(map(id, counted), tallies, strict=True)), terms)
    _note_input(found, inside, done, moments)
    if terms.price is not None and found.input_tokens is not None and output is not None:
        dollars = found.input_tokens * terms.price.input_usd + output * terms.price.output_usd
        found.price_usd = dollars / 1e6
    _note_codes(found, done)
    return found


def _running_ns(answer: Answer, moments: Moments, *, whole: bool) -> int:
    """Time between an answer's first and last token in the window; of a `whole` one from its sending on."""
    first_ns = answer.sent_ns if whole else answer.first_ns
    begun_ns = max(first_ns or moments.end_ns, moments.start_ns)
    return max(0, min(answer.end_ns or moments.end_ns, moments.end_ns) - begun_ns)


def _open_at(answers: Sequence[Answer], at_ns: int) -> int:
    return sum(a.sent_ns <= at_ns and (a.end_ns is None or a.end_ns > at_ns) for a in answers)


def _note_rate(found: ServedWindow, inside: Sequence[Answer], moments: Moments) -> None:
    due = [a for a in inside if a.due_ns is not None and moments.start_ns <= a.due_ns < moments.end_ns]
    if due:
        found.offered_per_s = len(due) * 1e9 / (moments.end_ns - moments.start_ns)
        found.late_s = percentiles([(a.sent_ns - (a.due_ns or a.sent_ns)) / 1e9 for a in due])


def _note_counts(
    found: ServedWindow, done: Sequence[Answer], tallies: dict[int, AnswerCount], terms: Terms
) -> None:
    """Both counts of the same answers, as far as there are both."""
    stated = [a.usage.output_tokens if a.usage else None for a in done]
    counted = [tallies[id(a)].counted for a in done]
    if done and None not in stated:
        found.stated_tokens = sum(tokens or 0 for tokens in stated)
    else:
        found.absent["stated_tokens"] = "the server does not state the tokens of every answer"
    if done and None not in counted:
        found.counted_tokens = sum(tokens or 0 for tokens in counted)
    elif terms.counter.reason:
        found.absent["counted_tokens"] = terms.counter.reason


def _note_input(
    found: ServedWindow, inside: Sequence[Answer], done: Sequence[Answer], moments: Moments
) -> None:
    read = [a.usage.input_tokens for a in done if a.usage and a.usage.input_tokens is not None]
    if not done or len(read) < len(done):
        found.absent["input_tokens"] = "the server does not state the tokens of every prompt"
        return
    mean = sum(read) / len(read)  # of a prompt whose answer is not finished the length is not stated yet
    found.input_tokens = sum(_input_tokens(a, mean) * counts.input_share(a, moments) for a in inside)
    cached = [a.usage.cached_tokens for a in done if a.usage and a.usage.cached_tokens is not None]
    if len(cached) == len(done):
        found.cached_input_share = sum(cached) / max(1, sum(read))
    else:
        found.absent["cached_input_share"] = "the server does not state what it had in its prefix cache"


def _input_tokens(answer: Answer, mean: float) -> float:
    stated = answer.usage.input_tokens if answer.usage else None
    return mean if stated is None else stated


def _note_stated(found: ServedWindow, stated: StatedLoad, workload: Workload) -> None:
    """The same window by the server's metrics, as far as it has any."""
    found.stated_running, found.stated_waiting = stated.running, stated.waiting
    found.cache_hit_share, found.accepted_draft_share = stated.cache_hit_share, stated.accepted_draft_share
    if stated.running is None:
        found.absent["stated_running"] = "the server has no metric of its running requests"
    elif workload.kind in WHOLE_LOAD and workload.load:
        found.stated_running_share = stated.running / workload.load
    if stated.cache_hit_share is None:
        found.absent["cache_hit_share"] = "the server has no metric of its prefix cache"


def _note_codes(found: ServedWindow, done: Sequence[Answer]) -> None:
    stated, counted = found.stated_tokens, found.counted_tokens
    if stated is not None and counted is not None and abs(stated - counted) > counts.DISAGREE * counted:
        # A text of random weights, say, need not split again into the tokens that it was made of. Then a
        # server that sends a piece a token agrees with its own usage; one that holds back tokens without
        # a whole character sends fewer pieces, and texts in which bytes were replaced.
        pieces = sum(len(a.pieces_ns) for a in done)
        agrees = abs(stated - pieces) <= counts.DISAGREE * pieces
        broken = 2 * sum(REPLACED in a.text for a in done) > len(done)
        found.reason_codes.append("recount-differs" if agrees or broken else "usage-disagrees")
    if stated is None and found.output_tokens is not None:
        found.reason_codes.append("no-usage")
    if max(found.cache_hit_share or 0.0, found.cached_input_share or 0.0) > CACHE_HITS:
        found.reason_codes.append("prefix-cache-hits")
    if found.failed:
        found.reason_codes.append("requests-failed")


def percentiles(values: Sequence[float]) -> Percentiles | None:
    """Median, 90th and 99th percentile; `None` of no values."""
    if not len(values):
        return None
    median, p90, p99 = (float(value) for value in np.percentile(values, (50, 90, 99)))
    return Percentiles(median=median, p90=p90, p99=p99, n=len(values))
