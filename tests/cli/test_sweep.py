"""What the options of a sweep say and refuse, before anything begins."""

from __future__ import annotations

import importlib.util

import pytest

from bench.dependencies import install_command
from tests.cli.conftest import Typed
from tests.support.main_job.running import CATALOGUE

ASKED = ("run", "tiny-bloom", "--weights", "random", "--device", "cpu", "--models", CATALOGUE)


def test_a_dry_run_lists_the_cases_and_says_how_long(typed: Typed) -> None:
    done = typed(*ASKED, "--sweep", "batch=1,2", "--sweep", "new-tokens=8,none", "--dry-run")
    assert done.status == 0
    labels = [line.partition("  ")[2] for line in done.out.splitlines()]
    work = "tiny-bloom random weights float32 batch"
    assert labels == [f"{work} {batch} {tokens} tokens" for batch in (1, 2) for tokens in (8, 48)]
    assert "4 cases, up to about 32 s beside loading." in done.err


def test_windows_of_a_server_are_an_axis_by_their_names(typed: Typed) -> None:
    done = typed(*ASKED, "--sweep", "workload=single,concurrency:8,rate:2.5", "--dry-run")
    assert done.status == 0
    windows = [line.partition("48 tokens ")[2] for line in done.out.splitlines()]
    assert windows == ["single by endpoint", "concurrency 8 by endpoint", "rate 2.5 by endpoint"]


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        (["batch=1,2"], ["4 8", "4 16"]),
        (["batch=1,2,new-tokens=8"], ["1 16", "2 16", "4 8", "4 16"]),
        (["batch=1", "batch=2"], ["4 8", "4 16"]),
    ],
)
def test_an_exclusion_takes_several_values_of_a_key(
    typed: Typed, exclude: list[str], left: list[str]
) -> None:
    options = [part for text in exclude for part in ("--exclude", text)]
    sweep = ("--sweep", "batch=1,2,4", "--sweep", "new-tokens=8,16")
    done = typed(*ASKED, *sweep, *options, "--dry-run")
    shown = [line.partition(" batch ")[2].removesuffix(" tokens") for line in done.out.splitlines()]
    assert (done.status, shown) == (0, left)


def test_a_dry_run_of_many_cases_lists_the_first_and_says_how_many(typed: Typed) -> None:
    axes = ("--sweep", f"seed={','.join(map(str, range(101)))}")
    done = typed(*ASKED, *axes, "--dry-run")
    assert (done.status, len(done.out.splitlines())) == (0, 100)
    assert len(set(done.out.splitlines())) == 100
    assert "The first 100 of 101 cases are listed; --yes lists all." in done.err
    assert len(typed(*ASKED, *axes, "--dry-run", "--yes").out.splitlines()) == 101


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--sweep", "bacth=1,2"], '--sweep: bacth is not a key of a case. Did you mean "batch"?'),
        (["--sweep", "device=cpu,cuda"], "It is set for a whole run, by --device."),
        (["--sweep", "batch="], '--sweep "batch=" has no values.'),
        (["--sweep", "batch"], '--sweep "batch" is not key=value.'),
        (["--sweep", "zzz=1"], "--sweep: zzz is not a key of a case. Known: attention, batch, compile, "),
        (["--sweep", "batch=1,two"], "--sweep batch=two: found 'two', expected a whole number."),
        (["--exclude", "model=tiny-blom"], 'Unknown model "tiny-blom". Did you mean "tiny-bloom"?'),
        (["--sweep", "heard-seconds=1,2"], "--sweep heard-seconds means nothing here: it is a key of voice."),
        (["--sweep", "batch=1,2", "--sweep", "batch=3"], "--sweep names batch twice."),
        (["--sweep", "batch=1,2", "--batch", "4"], "batch is an axis, and another option sets it."),
        (["--sweep", "quantization=bnb-3bit"], "--sweep quantization=bnb-3bit: "),
        (["--sweep", "workload=concurency:8"], 'Unknown window "concurency".'),
        (["--sweep", "workload=mlenergy-v3:8"], "The preset mlenergy-v3:8 sets new_tokens beside the"),
        (["--sweep", "batch=1,2", "--exclude", "batch=4"], "--exclude batch=4 leaves out nothing."),
        (["--exclude", "dtype"], '--exclude "dtype" is not key=value.'),
        (
            ["--sweep", f"batch={','.join(map(str, range(1, 102)))}"],
            "The sweep has 101 cases, which take up to about 13",
        ),
        (
            [
                *("--sweep", f"batch={','.join(map(str, range(1, 102)))}"),
                *("--sweep", f"seed={','.join(map(str, range(100)))}"),
                "--yes",
            ],
            "The sweep has 10,100 cases (up to about 22 h), more than 10,000.",
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


WAN = ("run", "tiny-wan", "--device", "cpu", "--dry-run")


def test_a_wrong_option_is_found_by_a_dry_run(typed: Typed) -> None:
    done = typed(*WAN, "--frames", "10")
    assert (done.status, done.out) == (2, "")
    assert "WanPipeline makes 4n+1 frames, and 10 are asked for. Use --frames 9." in done.err


def test_a_wrong_case_of_a_sweep_is_left_out_and_the_rest_goes_on_to_status_2(typed: Typed) -> None:
    done = typed(*WAN, "--sweep", "frames=9,10,99997")
    assert (done.status, done.out.count("\n")) == (2, 1)
    assert done.err.count("Left out: ") == 2
    assert "makes 4093 frames at most, and 99997 were asked for." in done.err


def test_many_wrong_cases_are_counted_and_not_listed(typed: Typed) -> None:
    done = typed(*WAN, "--sweep", f"frames={','.join(map(str, range(9, 21)))}")
    assert done.err.count("Left out: ") == 6
    assert "Left out: 4 more cases for reasons of this kind." in done.err


def test_a_sweep_without_a_possible_case_is_refused_with_the_first_reason(typed: Typed) -> None:
    done = typed(*WAN, "--sweep", "frames=10,11")
    assert (done.status, done.out) == (2, "")
    assert "Error: " in done.err


LACKING = "The package bitsandbytes is not installed, and quantization bnb-4bit needs it."


@pytest.fixture
def without_quant(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    lacking = ("bitsandbytes", "torchao")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in lacking else find(name))


@pytest.mark.usefixtures("without_quant")
def test_a_missing_package_is_found_by_a_dry_run_with_the_command(typed: Typed) -> None:
    done = typed(*ASKED, "--quantization", "bnb-4bit", "--dry-run")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert f"{LACKING} Install it with: {install_command('quant')}" in done.err


@pytest.mark.usefixtures("without_quant")
def test_a_case_of_a_sweep_without_its_package_is_left_out(typed: Typed) -> None:
    done = typed(*ASKED, "--sweep", "quantization=none,bnb-4bit,torchao-fp8", "--dry-run")
    assert (done.status, done.out.count("\n")) == (2, 1)
    assert done.err.count("Left out: ") == 2
    assert f"{LACKING} Install it with: {install_command('quant')}" in done.err
