"""Rules that set aside windows of a server's load: failed requests, counts, a load that was not kept up."""

from __future__ import annotations

import math

from bench.core.block import Block
from bench.core.workload import LEAST_SATURATED_S
from bench.measurement.rule import Rule

GROWTH_SPREADS = 4.0
"""Limit on growth of open requests, in square roots of their number: by one of these they scatter."""


def _requests_failed(block: Block, limit: float) -> str | None:
    seen = block.observed.served
    failed = sum(seen.failed.values()) if seen else 0
    if seen is None or failed <= limit * (seen.finished + failed):
        return None
    codes = ", ".join(f"{code} {count}" for code, count in sorted(seen.failed.items()))
    return f"{failed} of {seen.finished + failed} requests failed ({codes}; limit {limit:.0%})"


def _wrong_answers(block: Block, _limit: float) -> str | None:
    return next(iter(block.observed.problems), None) if block.observed.served else None


def _counts_disagree(block: Block, _limit: float) -> str | None:
    seen = block.observed.served
    if seen is None or "usage-disagrees" not in seen.reason_codes:
        return None
    return f"the server states {seen.stated_tokens} output tokens, our tokenizer counts {seen.counted_tokens}"


def _not_saturated(block: Block, limit: float) -> str | None:
    seen = block.observed.served
    if seen is None or not seen.window.startswith("saturated"):
        return None
    # The server's own number has prompts in it that are being read; the client's begins at a first token.
    by_server = seen.stated_running_share is not None
    running = seen.stated_running if by_server else seen.running
    share = (seen.stated_running_share if by_server else seen.running_share) or 0.0
    if share < limit:
        whose = "by its own metrics" if by_server else "by their tokens"
        of_load = f"{share:.0%} of the load {whose} (limit {limit:.0%})"
        return f"{running or 0:.1f} requests ran at a time, {of_load}"
    if block.duration_s < LEAST_SATURATED_S:
        return f"the load was saturated for {block.duration_s:.1f} s (limit {LEAST_SATURATED_S:.0f} s)"
    return None


def _client_late(block: Block, limit: float) -> str | None:
    seen = block.observed.served
    if seen is None or seen.late_s is None or seen.end_to_end_s is None:
        return None
    share = seen.late_s.p90 / seen.end_to_end_s.median
    if share <= limit:
        return None
    return (
        f"one request in ten was sent {seen.late_s.p90 * 1e3:.0f} ms late or more, "
        f"{share:.0%} of the time of an answer (limit {limit:.0%})"
    )


def _rate_not_kept(block: Block, limit: float) -> str | None:
    seen = block.observed.served
    if seen is None or seen.offered_per_s is None:
        return None
    grown, offered = seen.open_at_end - seen.open_at_start, seen.offered_per_s * block.duration_s
    if grown <= max(GROWTH_SPREADS * math.sqrt(max(1, seen.open_at_start)), limit * offered):
        return None
    return (
        f"open requests grew from {seen.open_at_start} to {seen.open_at_end} (limit {limit:.0%} of all sent)"
    )


SERVED_RULES = (
    Rule(
        "requests failed",
        0.01,
        "their joules are in the figure and their output is not",
        "See the server's log, or ask for a lower load.",
        _requests_failed,
    ),
    Rule(
        "wrong answers",
        None,
        "joules of wrong output must not enter a figure",
        "Correct the fields of requests (`serve: {extra: ...}`), or the server.",
        _wrong_answers,
    ),
    Rule(
        "token counts disagree",
        None,
        "one of the two counts is wrong",
        "Check the server's usage and `serve: {tokenizer: ...}`; random weights have to be named as such.",
        _counts_disagree,
    ),
    Rule(
        "not saturated",
        0.85,
        "the server was not full in this window",
        "Let the server run as many at a time as the load has, or send more requests.",
        _not_saturated,
    ),
    Rule(
        "client late",
        0.1,
        "the arrivals were not those of the rate",
        "Ask for a lower rate, or leave the processor to the client.",
        _client_late,
    ),
    Rule(
        "rate not kept",
        0.1,
        "the server falls behind, so the load is not steady",
        "Ask for a lower rate.",
        _rate_not_kept,
    ),
)
