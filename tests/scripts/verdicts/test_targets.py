"""What the trials have to come to; the trials themselves are `scripts/bench-verdicts`'s."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.store import results
from scripts.verdicts.planted import UNLIKE
from scripts.verdicts.targets import TARGETS, held, lines
from scripts.verdicts.trials import Trial, compared
from tests.support.factory import block, case, record


def trial(part: str, **changes: Any) -> Trial:
    """A trial of that part that came to what it has to."""
    right: dict[str, dict[str, Any]] = {
        "planted": {"status": 1, "verdict": "worse", "rows": {"energy": "worse"}},
        "unlike": {"status": 3, "verdict": "not comparable", "rows": {}, "keys": ("batch", "hash")},
    }
    fine: dict[str, Any] = {"status": 0, "verdict": "same", "rows": {"energy": "same", "power": None}}
    return Trial(part, **({"what": "another batch"} | right.get(part, fine) | changes))


@pytest.mark.parametrize("part", [target.part for target in TARGETS])
def test_trials_that_come_to_what_they_have_to_meet_their_target(part: str) -> None:
    (found,) = held([trial(part)] * 20)
    assert (found.met, found.n, found.wrong) == (True, 20, ())


@pytest.mark.parametrize(
    "wrong",
    [
        trial("equal", status=3, verdict="unclear"),
        trial("planted", status=0, verdict="same"),
        trial("planted", status=1, verdict="unclear"),
        trial("unlike", status=0),
        trial("unlike", keys=("seed",)),
        trial("unlike", rows={"energy": "worse"}),
    ],
)
def test_one_wrong_trial_misses_a_target_that_allows_none(wrong: Trial) -> None:
    found = [trial(wrong.part)] * 19 + [wrong]
    (judged,) = held(found)
    assert not judged.met
    told = "\n".join(lines(found, [judged]))
    assert "| 20 | 19 |" in told
    assert f"wrong: {wrong.part}, another batch: status {wrong.status}, {wrong.verdict}" in told


@pytest.mark.parametrize(("wrong", "met"), [(1, True), (2, False)])
@pytest.mark.parametrize("changes", [{"verdict": "better"}, {"rows": {"energy": "same", "memory": "worse"}}])
def test_of_twenty_real_comparisons_of_equal_work_one_may_err(
    wrong: int, met: bool, changes: dict[str, Any]
) -> None:
    (found,) = held([trial("real, apart")] * (21 - wrong) + [trial("real, apart", **changes)] * wrong)
    assert found.met is met


def test_a_trial_holds_what_compare_says(tmp_path: Path) -> None:
    sides = {
        "a": record(blocks=[block(300 + i) for i in range(6)]),
        "b": record(blocks=[block(330 + i) for i in range(6)]),
        "c": record(case=case(batch=2)),
    }
    for name, side in sides.items():
        (tmp_path / f"{name}.json").write_text(results.to_json(side), encoding="utf-8")
    a, b, c = (tmp_path / f"{name}.json" for name in "abc")
    (worse,) = compared("planted", "10 % more", a, b, ["--fail-on", "energy:5%"])
    assert (worse.status, worse.verdict, worse.rows["energy"], worse.equal) == (1, "worse", "worse", False)
    assert worse.ratio == pytest.approx(1.1, rel=0.01)
    (unlike,) = compared("unlike", "another batch", a, c)
    assert (unlike.status, unlike.verdict, unlike.rows) == (3, "not comparable", {})
    assert UNLIKE["another batch"][1] in unlike.keys
