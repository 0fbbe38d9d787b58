"""A record by itself, in words."""

from __future__ import annotations

from bench.core.block import Phase
from bench.core.record import Record
from bench.core.recorded import RecordedEngine
from bench.view import terminal
from bench.view.record import sections
from tests.support.factory import block, record


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
