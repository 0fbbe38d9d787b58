"""A record by itself, in words."""

from __future__ import annotations

from bench.core.recorded import RecordedEngine
from bench.view import terminal
from bench.view.record import sections
from tests.support.factory import record


def test_lists_and_mappings_within_facts_are_words_not_python() -> None:
    used = {"kernels": {"attention": ["sdpa", "flash"], "count": 4000}, "devices": ["cuda:0", "cuda:1"]}
    engine = RecordedEngine.model_validate({"parameters": {"model": 10}, "used": used})
    text = "\n".join(terminal.lines(sections(record(engine=engine)), terminal.Room(180, 180, False)))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "really used: kernels attention (sdpa, flash), count 4,000" in lines
    assert "really used: devices cuda:0, cuda:1" in lines
