"""What the options of a sweep say and refuse, before anything begins."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Typed
from tests.support.main_job.running import CATALOGUE

ASKED = ("run", "tiny-bloom", "--weights", "random", "--device", "cpu", "--models", CATALOGUE)


def test_a_dry_run_lists_the_cases_and_says_how_long(typed: Typed) -> None:
    done = typed(*ASKED, "--sweep", "batch=1,2", "--sweep", "new-tokens=8,none", "--dry-run")
    assert done.status == 0
    labels = [line.partition("  ")[2] for line in done.out.splitlines()]
    work = "tiny-bloom random weights float32 batch"
    assert labels == [f"{work} {batch} {tokens} tokens" for batch in (1, 2) for tokens in (8, 48)]
    assert "4 cases, up to 32 s beside loading." in done.err


def test_windows_of_a_server_are_an_axis_by_their_names(typed: Typed) -> None:
    done = typed(*ASKED, "--sweep", "workload=single,concurrency:8,rate:2.5", "--dry-run")
    assert done.status == 0
    windows = [line.partition("48 tokens ")[2] for line in done.out.splitlines()]
    assert windows == ["single by endpoint", "concurrency 8 by endpoint", "rate 2.5 by endpoint"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--sweep", "bacth=1,2"], '--sweep: bacth is not a key of a case. Did you mean "batch"?'),
        (["--sweep", "device=cpu,cuda"], "It is set for a whole run, by --device."),
        (["--sweep", "batch="], '--sweep "batch=" has no values.'),
        (["--sweep", "batch"], '--sweep "batch" is not key=value.'),
        (["--sweep", "batch=1,two"], "--sweep batch=two: "),
        (["--sweep", "batch=1,2", "--sweep", "batch=3"], "--sweep names batch twice."),
        (["--sweep", "batch=1,2", "--batch", "4"], "batch is an axis, and another option sets it."),
        (["--sweep", "quantization=bnb-3bit"], "--sweep quantization=bnb-3bit: "),
        (["--sweep", "workload=concurency:8"], 'Unknown window "concurency".'),
        (["--sweep", "workload=mlenergy-v3:8"], "The preset mlenergy-v3:8 sets new_tokens beside the"),
        (["--sweep", "batch=1,2", "--exclude", "batch=4"], "--exclude batch=4 leaves out nothing."),
        (["--exclude", "dtype"], '--exclude "dtype" is not key=value.'),
        (
            ["--sweep", f"batch={','.join(map(str, range(1, 102)))}"],
            "The sweep has 101 cases, which take up to 13",
        ),
        (
            [
                *("--sweep", f"batch={','.join(map(str, range(1, 102)))}"),
                *("--sweep", f"seed={','.join(map(str, range(100)))}"),
                "--yes",
            ],
            "The sweep has 10,100 cases (up to 22 h), more than 10,000.",
        ),
    ],
)
def test_a_sweep_that_makes_no_sense_is_one_sentence_and_status_2(
    typed: Typed, options: list[str], says: str
) -> None:
    done = typed(*ASKED, *options)
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert says in done.err


@pytest.mark.parametrize(
    ("options", "says"),
    [(["--sweep", "batch=1,2"], "A pair is two cases"), (["--resume"], "A pair is always measured anew.")],
)
def test_a_pair_is_no_sweep_and_is_never_skipped(typed: Typed, options: list[str], says: str) -> None:
    pair = ("run", "--pair", "tiny-bloom", "tiny-bloom,batch=2", "--device", "cpu", "--models", CATALOGUE)
    done = typed(*pair, *options)
    assert done.status == 2
    assert says in done.err
