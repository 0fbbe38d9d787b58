"""Runs whose every case would fail are refused before the first, and nothing is written."""

from __future__ import annotations

import importlib.util
import tempfile
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from bench.catalog.cases import Case, Overrides, plan
from bench.catalog.loading import load
from bench.doctor.probes import ProbeAnswer
from bench.errors import PrerequisiteError
from bench.machine.placement import Placement, place
from bench.measurement import preflight
from bench.meters.gpus import GpuDrivers
from tests.cli.conftest import Typed, plain_surroundings, typed
from tests.standin import StandIn
from tests.support.main_job.running import CATALOGUE

__all__ = ["plain_surroundings", "typed"]

CPU = Placement("cpu")
WITH_CUDA = {"cuda": "13.0", "available": True, "devices": 2}


def case(name: str) -> Case:
    return plan(load(CATALOGUE), [name], Overrides())[0].case


@pytest.fixture
def two_cards(standin: StandIn) -> Placement:
    """A run for both cards of the stand-in."""
    standin.attach()
    with GpuDrivers() as drivers:
        return place(drivers, "0,1", "cuda")


def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Make Python find no module of these names."""
    find = importlib.util.find_spec

    def finding(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name in names else find(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", finding)


def refusal(answer: ProbeAnswer, placement: Placement) -> str:
    with pytest.raises(PrerequisiteError) as raised:
        preflight.require_cuda(answer, placement)
    assert raised.value.exit_status == 2
    return str(raised.value)


def test_software_that_is_there_is_enough() -> None:
    preflight.require_software([case("tiny-bloom"), case("tiny-stable-diffusion")], CPU)


def test_every_missing_package_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "torch", "transformers")
    with pytest.raises(PrerequisiteError, match=r"^Not installed: torch, transformers\..* Install it "):
        preflight.require_software([case("tiny-bloom")], CPU)


def test_text_does_not_need_what_images_need(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "diffusers")
    preflight.require_software([case("tiny-bloom")], CPU)
    with pytest.raises(PrerequisiteError, match="diffusers"):
        preflight.require_software([case("tiny-stable-diffusion")], CPU)


def test_what_only_some_cases_lack_stops_those_when_they_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "diffusers")
    preflight.require_software([case("tiny-bloom"), case("tiny-stable-diffusion")], CPU)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (ProbeAnswer({"cuda": None, "available": False, "devices": 0}, 60), "is built without CUDA"),
        (
            ProbeAnswer(WITH_CUDA | {"available": False, "devices": 0}, 60),
            "built for CUDA 13.0, sees 0 cards",
        ),
        (ProbeAnswer(WITH_CUDA | {"devices": 1}, 60), "built for CUDA 13.0, sees 1 cards"),
    ],
)
def test_a_torch_that_cannot_use_the_cards_is_refused(
    two_cards: Placement, answer: ProbeAnswer, words: str
) -> None:
    text = refusal(answer, two_cards)
    assert words in text
    assert "NVIDIA H200 stand-in" in text
    assert "--device cpu" in text


def test_a_torch_that_does_not_import_is_refused_with_its_words(two_cards: Placement) -> None:
    assert "libcudart.so.13: cannot open" in refusal(
        ProbeAnswer(None, 60, error="OSError: libcudart.so.13: cannot open"), two_cards
    )


@pytest.mark.parametrize(
    "answer", [ProbeAnswer(WITH_CUDA, 60), ProbeAnswer(None, 60, late=True)], ids=["both", "late"]
)
def test_a_torch_that_can_or_does_not_answer_in_time_is_no_reason(
    two_cards: Placement, answer: ProbeAnswer
) -> None:
    preflight.require_cuda(answer, two_cards)


@pytest.mark.slow
def test_this_torch_is_asked_with_the_variables_of_the_run(
    two_cards: Placement, typed: Typed, tmp_path: Path
) -> None:
    """Real PyTorch beside a stand-in card that its CUDA, if it has any, cannot use."""
    results = tmp_path / "results"
    options = ("--weights", "random", "--quick", "--models", CATALOGUE, "--results", results)
    done = typed("run", "tiny-bloom", "tiny-stable-diffusion", *options)
    assert done.status == 2
    assert done.err.count("Error: ") == 1
    assert "nothing was started" in done.err
    assert done.out == ""
    assert not results.exists(), "no failed records, and no folder for them"


def test_a_run_without_packages_writes_nothing(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, "torch")
    results = tmp_path / "results"
    options = ("--weights", "random", "--device", "cpu", "--models", CATALOGUE, "--results", results)
    done = typed("run", "tiny-bloom", *options)
    assert done.status == 2
    assert done.err.startswith("Error: Not installed: torch. ")
    assert not results.exists()


def test_no_folder_for_temporary_files_is_one_sentence(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "absent")])
    results = tmp_path / "results"
    options = ("--weights", "random", "--device", "cpu", "--models", CATALOGUE, "--results", results)
    done = typed("run", "tiny-bloom", *options)
    assert done.status == 2
    assert "no folder for temporary files can be written. Name one: TMPDIR=DIR." in done.err
    assert not list(results.rglob("*.json"))
