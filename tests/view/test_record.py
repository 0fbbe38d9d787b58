"""A record by itself, in words."""

from __future__ import annotations

from bench.core.block import Block, Phase
from bench.core.observed import Observed
from bench.core.record import Record
from bench.core.recorded import RecordedEngine
from bench.stats.served import served_figures
from bench.view import terminal
from bench.view.record import sections
from tests.support.factory import block, record, served_window


def shown(made: Record) -> str:
    return "\n".join(terminal.lines(sections(made), terminal.Room(180, 180, False)))


def test_lists_and_mappings_within_facts_are_words_not_python() -> None:
    used = {"kernels": {"attention": ["sdpa", "flash"], "count": 4000}, "devices": ["cuda:0", "cuda:1"]}
    engine = RecordedEngine.model_validate({"parameters": {"model": 10}, "used": used})
    text = shown(record(engine=engine))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "really used: kernels attention (sdpa, flash), count 4,000" in lines
    assert "really used: devices cuda:0, cuda:1" in lines


def test_a_pause_without_joules_has_an_estimate_by_the_idle_power() -> None:
    phases = {"decode": Phase(seconds=20.0, count=1), "tool_pause": Phase(seconds=10.0, count=1)}
    made = record(blocks=[block(joules, phases=phases) for joules in (290.0, 295.0, 300.0, 305.0, 310.0)])
    estimate = (
        "tool_pause: about 20.0 J per page, estimated: 10.0 s at the 2.00 W of the loaded model at idle."
    )
    assert " ".join(shown(made).split()).count(estimate) == 1
    made.idle = {}
    assert "tool_pause: about" not in shown(made)


def test_a_servers_figures_have_their_kind_of_mean_and_each_reason_code_once() -> None:
    codes: list[list[str]] = [["recount-differs"], ["recount-differs"], [], [], []]
    made = served_record([served_block(number, each) for number, each in enumerate(codes)])
    text = " ".join(shown(made).split())
    assert text.count("recount-differs in 2 of 5 windows: our tokenizer's count is another") == 1
    assert "Values are means over the windows that count" in text
    restarted = served_record([served_block(number, [], start=1 + number % 2) for number in range(4)])
    assert "J gross: mean over 2 starts of the server ±" in " ".join(shown(restarted).split())
    assert "J gross: mean over blocks ±" in text


def served_record(blocks: list[Block]) -> Record:
    made = record(blocks=blocks)
    made.figures.served = served_figures(blocks)
    return made


def served_block(number: int, codes: list[str], start: int | None = None) -> Block:
    window = served_window(start, reason_codes=codes)
    return block(300.0 + number, observed=Observed(served=window))
