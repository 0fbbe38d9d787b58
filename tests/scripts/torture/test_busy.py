"""Windows beside busy loops: what counts as wrong, and that a few real ones are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.measurement import instruments
from scripts.torture import busy
from scripts.torture.__main__ import _asked, _parser
from scripts.torture.busy import Seen, lost
from tests.support.metering import QuietCodeCarbon

WARNING = "late sampler: one sample in a hundred came late"


def seen(found_j: float | None, interval_j: float | None = 10.0, *reasons: str) -> Seen:
    return Seen("constant", 3.0, 1000.0, found_j, interval_j, reasons)


@pytest.mark.parametrize(
    ("window", "outcome", "wrong"),
    [
        (seen(1009.0), "within", False),
        (seen(1011.0), "outside", False),
        (seen(1030.0), "outside", True),
        (seen(1009.0, 1.0), "outside", False),  # below 1 % no fault of a card is told either
        (seen(1500.0, 10.0, WARNING), "invalid", False),
        (seen(None, None, WARNING), "no reading", False),
        (seen(None, None), "outside", True),
    ],
)
def test_a_window_is_wrong_where_nothing_warns_of_its_error(window: Seen, outcome: str, wrong: bool) -> None:
    assert (window.outcome, window.wrong) == (outcome, wrong)


def test_one_in_twenty_may_miss_the_truth_by_a_little() -> None:
    assert lost([seen(1001.0)] * 19 + [seen(1011.0)]) == 0
    assert lost([seen(1001.0)] * 18 + [seen(1011.0)] * 2) == 2
    assert lost([seen(1001.0)] * 99 + [seen(1030.0)]) == 1
    assert lost([seen(1500.0, 10.0, WARNING)] * 5) == 0


@pytest.mark.slow
def test_windows_beside_a_busy_loop_hold_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`scripts/bench-torture busy` plays 66 beside eight."""
    monkeypatch.setattr(instruments, "CodeCarbon", lambda *_: QuietCodeCarbon())
    monkeypatch.setattr(busy, "LENGTHS_S", (2.0, 2.5))
    windows = list(busy.play(tmp_path, windows=2, loops=1, seed=1))
    assert [each.wave for each in windows] == ["constant", "fade"]
    assert not any(each.wrong for each in windows), windows
    assert "2 windows" in next(busy.lines(windows))


def test_all_parts_are_played_a_share_as_long() -> None:
    parser = _parser()
    parts = {part.part: vars(part) for part in _asked(parser, parser.parse_args(["all", "--scale", "0.01"]))}
    assert list(parts) == ["faults", "kill", "disks", "fuzz", "busy", "long"]
    assert (parts["kill"]["trials"], parts["fuzz"]["inputs"], parts["busy"]["windows"]) == (2, 1000, 1)
    assert parts["long"]["hours"] == pytest.approx(0.08)
    assert parts["kill"]["longest_s"] == 80.0
