"""What `bench run` refuses before it begins, and how a pair is put into words."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.catalog import loading
from bench.cli.run_options import RunOptions
from bench.cli.run_outputs import print_outcome
from bench.core.block import Block
from bench.core.figures import Estimate
from bench.core.observed import Observed, StartConditions
from bench.core.record import Record
from bench.core.repetition import Pair, StopInfo
from bench.measurement.outcome import RunOutcome
from bench.view import results, terminal
from bench.view.pair import sections
from tests.cli.conftest import Typed
from tests.standin import StandIn
from tests.support.factory import GPU, block, record
from tests.support.main_job.running import CATALOGUE
from tests.support.processes import ROOT

PLAIN = CATALOGUE.read_text(encoding="utf-8")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """The test's catalogue, without the mark of a first look."""
    path = tmp_path / "models.yaml"
    path.write_text(PLAIN.replace("quick: true", "quick: false"), encoding="utf-8")
    return path


def test_blocks_of_any_length_may_be_asked_for_on_a_card(
    typed: Typed, models: Path, standin: StandIn
) -> None:
    standin.attach()
    asked = ("run", "tiny-bloom", "--weights", "random", "--gpus", "0", "--device", "cpu", "--dry-run")
    for options in (("--block-seconds", "0.5"), ("--block-seconds", "30"), ("--quick",), ()):
        assert typed(*asked, "--models", models, *options).status == 0


def test_quick_asks_for_a_wider_target_and_shorter_limits_and_leaves_the_blocks_to_the_method() -> None:
    usual = loading.load(ROOT / "models.yaml").defaults.measure
    quick = RunOptions(quick=True).overrides().measure
    assert quick.quick is True
    assert (quick.block_seconds, quick.idle_seconds, quick.settle_seconds) == (None, None, None)
    wider, shorter = quick.target or 0.0, quick.max_seconds or 0.0
    assert wider > (usual.target or 1.0)
    assert shorter < (usual.max_seconds or 0.0)
    assert RunOptions(quick=True, target=0.01).overrides().measure.target == 0.01


def test_a_pair_of_revisions_without_git_says_that_it_is_not_installed(
    typed: Typed, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("run", "tiny-bloom", "--pair", "main", ".", "--dry-run", "--weights=random", "--models", models)
    known = typed(*asked)
    monkeypatch.setenv("PATH", "/nonexistent")
    done = typed(*asked)
    assert done.status == known.status == 2
    assert '"main" is not a model, a suite, a folder, and git is not installed' in done.err
    assert "git is not installed" not in known.err


@pytest.mark.parametrize(
    ("setting", "arguments", "says"),
    [
        ("7", (), "The work runs on the CPU, because CUDA_VISIBLE_DEVICES=7 hides all 2 cards (GPU 0, 1: "),
        (
            "0,0",
            (),
            "The work runs on the CPU, because CUDA_VISIBLE_DEVICES=0,0 hides all 2 cards (GPU 0, 1: ",
        ),
        ("1", (), "CUDA_VISIBLE_DEVICES=1 hides 1 of 2 cards (GPU 0: NVIDIA H200 stand-in); name cards with"),
        ("0,1", (), None),
        ("1", ("--gpus", "0"), None),
        ("7", ("--device", "cpu"), None),
    ],
)
def test_hidden_cards_are_named_in_one_sentence(
    typed: Typed,
    models: Path,
    standin: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    arguments: tuple[str, ...],
    says: str | None,
) -> None:
    standin.attach()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", setting)
    asked = ("run", "tiny-bloom", "--weights", "random", "--dry-run", "--models", models)
    done = typed(*asked, "--block-seconds", "30", *arguments)
    assert done.status == 0
    hidden = [line for line in done.err.splitlines() if "hides" in line]
    assert [line[: len(says or "")] for line in hidden] == ([] if says is None else [says])


@pytest.mark.parametrize(
    ("arguments", "seen"),
    [
        (["smoke", "--pair", "tiny-bloom", "tiny-bloom"], "is a third"),
        (["--pair", "tiny-bloom", "tiny-stable-diffusion"], "so they have no ratio"),
        (["--pair", "tiny-bloom", "smoke"], "is 2 cases"),
        (["--pair", "too-large", "too-large"], "loaded at once"),
        (["--pair", "tiny-bloom"], "only one was named"),
    ],
)
def test_what_is_no_pair_is_refused_in_one_sentence(
    typed: Typed, models: Path, arguments: list[str], seen: str
) -> None:
    done = typed("run", *arguments, "--dry-run", "--weights=random", "--models", models)
    assert done.status == 2
    assert seen in done.err
    assert "Traceback" not in done.err


def test_a_pair_may_differ_in_one_key_alone(typed: Typed, models: Path) -> None:
    asked = ("run", "--pair", "tiny-bloom", "tiny-bloom,batch=2", "--weights", "random", "--dry-run")
    done = typed(*asked, "--models", models)
    assert done.status == 0
    assert ["batch 1" in line for line in done.out.splitlines()] == [True, False]


def paired(ratio: Estimate | None, blocks: list[Block] | None = None) -> Record:
    pair = Pair(side="A", other="b", other_hash="0" * 16, id="1", order="ABBA", ratio=ratio)
    return record(blocks=blocks, pair=pair)


def sentence(records: list[Record]) -> str:
    return terminal.text(sections(records))


def test_rows_of_a_pair_have_a_column_with_their_side() -> None:
    pair = Pair(side="A", other="b", other_hash="0" * 16, id="1", order="ABBA", ratio=None)
    both = [record(pair=pair.model_copy(update={"side": side})) for side in ("A", "B")]
    shown = terminal.text([results.section(both, notes=False)]).splitlines()
    heads = next(number for number, line in enumerate(shown) if line.startswith("A/B "))
    assert [line.split()[0] for line in shown[heads + 1 : heads + 3]] == ["A", "B"]
    alone = terminal.text([results.section([record()], notes=False)])
    assert "A/B" not in alone


def test_a_ratio_is_said_with_its_interval_and_with_what_it_does_not_hold() -> None:
    ratio = Estimate(value=0.8712, low=0.865, high=0.8775, n=8)
    like, unlike = paired(ratio), paired(ratio, [block(600.0) for _ in range(5)])
    said = sentence([like, like])
    assert said.endswith("8 pairs).\n")  # the answer is last
    assert "B takes 0.871 times A's joules a page (0.865 to 0.877, 95 %, 8 pairs)." in said
    assert "4.9 points" not in said
    assert like.figures.headline_scope == "gpu"
    assert GPU in like.figures.energy_per_unit_j["gpu"].domains
    assert "They ran at 10 W and 20 W" in sentence([like, unlike])
    once = paired(Estimate(value=1.0, low=None, high=None, n=1))
    assert "1 pair)" in sentence([once, once])
    assert sentence([paired(None), once]).startswith("No pair of valid blocks")


def test_blocks_that_began_too_warm_are_counted() -> None:
    starts = [StartConditions(temperature_c={}, waited_s=0.0, within_band=within) for within in (True, False)]
    cool, warm = (Observed(start=start) for start in starts)
    seen = [block(observed=each) for each in (cool, warm, cool, warm, warm)]
    ratio = Estimate(value=1.0, low=0.99, high=1.01, n=5)
    assert "3 of 5 blocks began more than 2 K above the coolest" in sentence(
        [paired(ratio, seen), paired(ratio, [])]
    )


def test_an_interrupt_before_any_figure_leaves_the_path_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """No table of dashes, and nothing to compare; a case with a figure has both."""
    ended = StopInfo(by="interrupt", target=0.05, max_seconds=60.0, achieved=None)
    begun = record(status="failed", ended=ended, blocks=[], run_id="r")
    print_outcome(RunOutcome([(begun, Path("results/a.json"))], interrupted=True), RunOptions())
    assert capsys.readouterr() == ("results/a.json\n", "")
    whole = (record(run_id="r"), Path("results/b.json"))
    print_outcome(RunOutcome([whole, (begun, Path("results/a.json"))], interrupted=True), RunOptions())
    shown = capsys.readouterr()
    assert "J gross" in shown.out
    assert "compare it: " in shown.err


def test_what_was_left_out_names_the_program_as_it_was_started(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOULEBENCH_PROGRAM", "scripts/bench")
    print_outcome(RunOutcome(too_large={"a case": "see `python -m bench list`"}), RunOptions())
    assert capsys.readouterr().err == "Left out: a case: see `scripts/bench list`\n"
