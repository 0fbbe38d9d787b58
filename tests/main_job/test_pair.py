"""`bench run --pair`: two cases in turns, end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.main_job.running import environment, run


@pytest.mark.slow
def test_two_cases_in_turns_give_two_records_and_their_ratio(tmp_path: Path) -> None:
    options = ["--weights", "random", "--target", "95%", "--max-seconds", "1", "--device", "cpu"]
    done = run(
        ["--pair", "tiny-bloom", "tiny-bloom,new-tokens=24", *options], tmp_path, environment(pretend=True)
    )
    assert done.status == 0, done.err
    assert "B takes " in done.out
    by_side = {record.pair.side: record for record in done.records if record.pair}
    assert sorted(by_side) == ["A", "B"]
    a, b = by_side["A"].pair, by_side["B"].pair
    assert a is not None
    assert b is not None
    assert (a.id, a.order, a.ratio) == (b.id, b.order, b.ratio)
    assert a.ratio is not None
    assert a.ratio.n >= 6
    assert {a.order[at : at + 4] for at in range(0, len(a.order), 4)} <= {"ABBA", "BAAB"}
    assert a.other_hash == by_side["B"].case.hash
    assert b.other_hash == by_side["A"].case.hash
    for side, record in by_side.items():
        assert record.status == "ok"
        assert record.reached_target
        taken = [block.observed.peak_memory for block in record.blocks]
        assert {peak.of for peak in taken if peak} == {"process-resident"}
        assert all(peak and 5e6 < (peak.used_bytes or 0) < 5e9 for peak in taken), "of a worker without torch"
        assert sum(not block.warmup for block in record.blocks) == a.order.count(side) >= 6


def test_what_stops_one_side_stops_both_and_both_keep_their_blocks(tmp_path: Path) -> None:
    options = ["--weights", "random", "--target", "95%", "--max-seconds", "1", "--device", "cpu"]
    done = run(
        ["--pair", "tiny-bloom", "tiny-bloom", *options],
        tmp_path,
        environment(fault="kill-at:12", pretend=True),
    )
    assert done.status == 1
    assert len(done.records) == 2, "an A/A pair overwrites nothing"
    assert [record.status for record in done.records] == ["failed", "failed"]
    assert "Traceback" not in done.err
