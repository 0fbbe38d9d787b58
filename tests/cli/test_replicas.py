"""`run --replicas` and models that several cards share, before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Done, Typed
from tests.standin import StandIn
from tests.support.main_job.running import CATALOGUE
from tests.support.processes import ROOT

SHIPPED = ROOT / "models.yaml"
SUITE = """
suites:
  copies:
    doc: Two copies.
    weights: random
    cases:
      - {model: tiny-bloom, replicas: 2}
"""
NEEDED = "about 408 GB in bfloat16"
"""Of 352.5 GB of weights: 15 % more, a gigabyte for libraries, 1.4 GB of keys and values."""
EIGHT, FOUR = "0,1,2,3,4,5,6,7", "0,1,2,3"


pytestmark = pytest.mark.usefixtures("eight_cards")


@pytest.fixture
def planned(typed: Typed) -> Typed:
    """A dry run."""

    def run(*arguments: str | Path) -> Done:
        return typed("run", *arguments, "--dry-run", "--weights", "random")

    return run


def test_bloom_176b_is_spread_over_eight_cards_of_80_gb(planned: Typed, typed: Typed) -> None:
    done = planned("bloom-176b", "--models", SHIPPED, "--gpus", EIGHT)
    assert done.status == 0
    assert "bloom-176b random weights bfloat16 batch 1 340 tokens" in done.out
    memory = f"{NEEDED} spread over 8 × NVIDIA H100 80GB HBM3 (640 GB)."
    assert memory in " ".join(done.err.split())
    listed = typed("list", "--models", SHIPPED, "--gpus", EIGHT)
    assert listed.out.startswith("Here: 8 × NVIDIA H100 80GB HBM3, 640 GB\n")
    (line,) = [line for line in listed.out.splitlines() if line.startswith("bloom-176b ")]
    assert " yes" in line


def test_four_cards_are_too_few_for_it_in_one_sentence(planned: Typed) -> None:
    done = planned("bloom-176b", "--models", SHIPPED, "--gpus", FOUR)
    assert done.status == 2
    sentence = (
        "bloom-176b random weights bfloat16 batch 1 340 tokens does not fit: it needs "
        f"{NEEDED}, "
        "4 × NVIDIA H100 80GB HBM3 have 320 GB."
    )
    assert done.err.strip() == f"Error: {sentence} `python -m bench list` shows what fits."


def test_each_replica_has_to_fit_its_share(planned: Typed) -> None:
    asked = ("bloom-176b", "--models", SHIPPED, "--gpus", EIGHT, "--replicas", "2")
    done = planned(*asked)
    assert done.status == 2
    assert "4 × NVIDIA H100 80GB HBM3 have 320 GB for each replica." in done.err
    fitting = planned("bloom-7b1", "--models", SHIPPED, "--gpus", EIGHT, "--replicas", "4")
    assert fitting.status == 0
    assert " 4 replicas" in fitting.out
    said = "about 17 GB in bfloat16, each of 4 replicas spread over 2 × NVIDIA H100 80GB HBM3 (160 GB)."
    assert said in " ".join(fitting.err.split())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--replicas", "3", "--gpus", "4,5"), "3 replicas need at least 3 cards, and there are 2."),
        (("--replicas", "2"), "2 replicas need at least 2 cards, and there is 1."),
        (("--replicas", "2", "--gpus", "0,1", "--workload", "single"), "whose replicas are its own."),
    ],
)
def test_what_cannot_be_shared_is_refused_in_one_sentence(
    planned: Typed, options: tuple[str, ...], sentence: str
) -> None:
    done = planned("tiny-bloom", "--models", CATALOGUE, *options)
    assert done.status == 2
    assert sentence in done.err
    assert "Traceback" not in done.err


def test_replicas_that_cannot_share_all_cards_have_the_fewest_that_hold_them(
    planned: Typed, eight_cards: StandIn
) -> None:
    three = ("--models", CATALOGUE, "tiny-bloom", "--replicas", "3", "--gpus", EIGHT)
    assert "Cards: GPU 0, 1, 2: NVIDIA H100 80GB HBM3." in planned(*three).err
    large = ("--models", SHIPPED, "bloom-7b1", "--replicas", "3", "--gpus", "7,6,5,4,3,2,1,0")
    for gpu in range(8):
        eight_cards.gpu(gpu).memory_total_bytes = 12 * 10**9
    assert "Cards: GPU 7, 6, 5, 4, 3, 2: NVIDIA H100 80GB HBM3." in planned(*large).err, "two cards a copy"
    eight_cards.set_processes(1, {4242: 10**9})
    assert "Cards: GPU 0, 2, 3: NVIDIA H100 80GB HBM3." in planned(*three).err, "1 is in use"


@pytest.mark.parametrize(
    ("sides", "of_a", "of_b"),
    [
        (("tiny-bloom,replicas=3", "tiny-bloom"), "0, 1, 2", "0, 1, 2, 3"),
        (("tiny-bloom,replicas=2", "tiny-bloom,replicas=3"), "0, 1, 2, 3", "0, 1, 2"),
    ],
)
def test_a_pair_whose_sides_would_have_other_cards_is_refused(
    planned: Typed, sides: tuple[str, str], of_a: str, of_b: str
) -> None:
    done = planned("--models", CATALOGUE, "--gpus", FOUR, "--pair", *sides)
    assert done.status == 2
    assert " ".join(done.err.split()) == (
        f"Error: A would be on GPU {of_a} and B on GPU {of_b}; a pair needs the same cards. "
        "Name other cards with --gpus or run each alone."
    )
    three = planned("--models", CATALOGUE, "--gpus", "0,1,2", "--pair", "tiny-bloom,replicas=3", "tiny-bloom")
    assert three.status == 0, three.err


def test_memory_of_a_pair_is_that_of_the_cards_on_which_its_sides_meet(
    planned: Typed, eight_cards: StandIn
) -> None:
    for gpu in range(8):
        eight_cards.gpu(gpu).memory_total_bytes = 30 * 10**9
    pair = ("--pair", "bloom-7b1,replicas=3", "bloom-7b1,replicas=3,batch=2")
    done = planned("--models", SHIPPED, "--gpus", FOUR, *pair)
    assert done.status == 2
    assert "and there are 90 GB." in done.err, "of three cards; the fourth is idle"


def test_a_dry_run_names_the_cards_of_cases(planned: Typed) -> None:
    asked = ("tiny-bloom", "--models", CATALOGUE)
    assert "Cards: GPU 0: NVIDIA H100 80GB HBM3." in planned(*asked).err
    assert "Cards: GPU 6, 2: NVIDIA H100 80GB HBM3." in planned(*asked, "--gpus", "6,2").err
    assert "Cards:" not in planned(*asked, "--device", "cpu").err
    paired = planned("--models", CATALOGUE, "--gpus", "3", "--pair", "tiny-bloom", "tiny-bloom,batch=2")
    assert "Cards: GPU 3: NVIDIA H100 80GB HBM3." in paired.err
    swept = planned(*asked, "--gpus", FOUR, "--sweep", "replicas=2,3", "--yes")
    assert [line.partition("  (")[2] for line in swept.out.splitlines()] == [
        "on GPU 0, 1, 2, 3: NVIDIA H100 80GB HBM3)",
        "on GPU 0, 1, 2: NVIDIA H100 80GB HBM3)",
    ]


def test_replicas_are_a_key_of_a_case_like_any_other(planned: Typed, tmp_path: Path) -> None:
    hashes = {}
    for options in ((), ("--replicas", "1"), ("--replicas", "2"), ("--sweep", "replicas=1,2,4")):
        done = planned("tiny-bloom", "--models", CATALOGUE, "--gpus", FOUR, *options)
        assert done.status == 0, done.err
        hashes[options] = [line.split()[0] for line in done.out.splitlines()]
    one, swept = hashes[()], hashes[("--sweep", "replicas=1,2,4")]
    assert hashes[("--replicas", "1")] == one, "as older records have it"
    assert swept[:2] == [*one, *hashes[("--replicas", "2")]]
    assert len(set(swept)) == 3
    models = tmp_path / "models.yaml"
    models.write_text(CATALOGUE.read_text().partition("\nsuites:")[0] + SUITE)
    done = planned("copies", "--models", models, "--gpus", "0,1")
    assert done.status == 0, done.err
    assert done.out.split()[0] == hashes[("--replicas", "2")][0]
