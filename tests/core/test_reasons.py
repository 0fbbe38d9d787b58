"""Reasons of a record in words: one of each rule, with the number of blocks that broke it."""

from __future__ import annotations

from tests.support.factory import block, record


def test_each_rule_is_named_once_with_the_number_of_blocks_that_broke_it() -> None:
    paused = [f"paused: a batch took {seconds} s; the worker stalled." for seconds in (3, 4, 5)]
    spoilt = [block(valid=False, reasons=[reason]) for reason in paused]
    late = "late sampler: gaps of 0.6 s; edges are only as sharp as that."
    made = record(
        status="invalid",
        blocks=[*spoilt, block(valid=False, reasons=[late])],
        reasons=["0 of 4 blocks are valid, 5 are needed.", late, *paused],
    )
    assert made.distinct_reasons == [
        "0 of 4 blocks are valid, 5 are needed.",
        late,
        "paused: a batch took 3 s; the worker stalled. (3 blocks)",
    ]
    assert made.why.count("paused") == 1
    assert made.reasons[2:] == paused, "the record keeps all of them"
