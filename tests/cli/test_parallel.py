"""`run --parallel` before anything is loaded: which cards a case would have, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Typed
from tests.support.processes import ROOT

SHIPPED = ROOT / "models.yaml"


pytestmark = pytest.mark.usefixtures("eight_cards")


def dry(typed: Typed, *arguments: str | Path) -> tuple[list[str], str]:
    done = typed("run", *arguments, "--models", SHIPPED, "--weights", "random", "--dry-run", "--parallel")
    assert done.status == 0, done.err
    return done.out.splitlines(), " ".join(done.err.split())


def test_a_dry_run_shows_the_cards_of_each_case(typed: Typed) -> None:
    lines, notes = dry(
        typed, "llama-3.1-8b-instruct", "bloom-176b", "bloom-560m", "--gpus", "0,1,2,3,4,5,6,7"
    )
    assert [line.partition("  (")[2] for line in lines] == [
        "on GPU 0: NVIDIA H100 80GB HBM3)",
        "on GPU 1, 2, 3, 4, 5, 6: NVIDIA H100 80GB HBM3)",
        "on GPU 7: NVIDIA H100 80GB HBM3)",
    ]
    assert "3 cases, up to about " in notes
    assert "side by side." in notes
    assert "spread over 6 × NVIDIA H100 80GB HBM3 (480 GB)" in notes


def test_a_case_that_waits_names_the_cards_that_it_may_have(typed: Typed) -> None:
    lines, _ = dry(typed, "bloom-560m", "--sweep", "batch=1,2,4", "--gpus", "5,2")
    assert [line.partition("  (")[2] for line in lines] == [
        "on GPU 5: NVIDIA H100 80GB HBM3)",
        "on GPU 2: NVIDIA H100 80GB HBM3)",
        "on the first free card of GPU 5, 2: NVIDIA H100 80GB HBM3)",
    ]
    lines, _ = dry(typed, "bloom-560m", "--replicas", "3", "--sweep", "batch=1,2", "--gpus", "0,1,2,3")
    assert [line.partition("  (")[2] for line in lines] == [
        "on GPU 0, 1, 2: NVIDIA H100 80GB HBM3)",
        "on the first 3 free cards of GPU 0, 1, 2, 3: NVIDIA H100 80GB HBM3)",
    ]


def test_the_longest_time_is_that_of_cases_at_once(typed: Typed) -> None:
    sizes = ("bloom-560m", "--sweep", "batch=1,2,4,8", "--max-seconds", "600")
    _, together = dry(typed, *sizes, "--gpus", "0,1,2,3")
    _, two = dry(typed, *sizes, "--gpus", "0,1")
    minutes = [float(notes.split("up to about ")[1].split()[0]) for notes in (together, two)]
    assert minutes[1] == pytest.approx(2 * minutes[0], rel=0.1)


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        (("--gpus", "3"), "--parallel gives each case cards of its own, and the work is on one card"),
        (("--device", "cpu"), "--parallel gives each case cards of its own, and the work is on the CPU"),
        (("--gpus", "0,1", "--pair", "bloom-560m", "bloom-1b7"), "--parallel and --pair exclude each other"),
        (
            ("--gpus", "0,1", "--endpoint", "http://127.0.0.1:9/v1", "--workload", "single"),
            "a server has its",
        ),
        (("--fleet", "127.0.0.1:9"), "--fleet takes no --pair, --endpoint, --node or --parallel"),
    ],
)
def test_what_has_no_cards_of_its_own_is_refused(typed: Typed, asked: tuple[str, ...], seen: str) -> None:
    names = () if "--pair" in asked else ("bloom-560m",)
    done = typed("run", *names, "--models", SHIPPED, "--weights", "random", "--parallel", *asked, "--dry-run")
    assert done.status == 2
    assert seen in " ".join(done.err.split())
