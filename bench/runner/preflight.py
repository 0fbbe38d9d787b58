"""What every case of a run needs of this machine's software, asked once, before the first record.

A case that cannot load leaves a failed record. Where all of them must fail for one reason, that reason is an
error before the run, and nothing is written.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

from bench.catalog.cases import Case
from bench.errors import PrerequisiteError
from bench.runner import producers
from bench.runner.devices import Placement
from bench.runner.doctor.probes import TORCH, Answer, Probe
from bench.runner.doctor.software import install_command

PROBE_S = 60.0
"""Limit for the import of PyTorch, which takes 3 to 10 s; later than that, the first case shows it."""


def require_software(cases: Iterable[Case], placement: Placement) -> None:
    """Raise PrerequisiteError where packages of these cases are missing, or PyTorch cannot use the cards.

    Raises UsageError for a workload that nothing here can do.
    """
    needed = {name for case in cases for name in producers.of(case.workload).packages(case)}
    missing = sorted(name for name in needed if importlib.util.find_spec(name) is None)
    if missing:
        raise PrerequisiteError(
            f"Not installed: {', '.join(missing)}. Running a model needs it, so nothing was started.",
            f"Install it with: {install_command()}",
        )
    if placement.device == "cuda" and "torch" in needed:
        probe = Probe(TORCH, (), PROBE_S, placement.environment)
        require_cuda(probe.answer(), placement)


def require_cuda(answer: Answer, placement: Placement) -> None:
    """Raise PrerequisiteError where, by its `answer`, PyTorch cannot use the cards of the run."""
    if answer.late:
        return
    cards = ", ".join(gpu.name for gpu in placement.visible)
    on_cpu = "To run on the CPU: --device cpu."
    if answer.value is None:
        raise PrerequisiteError(
            f"PyTorch does not import: {answer.error}.", f"Install it anew: {install_command()}"
        )
    if answer.value["cuda"] is None:
        raise PrerequisiteError(
            f"This PyTorch is built without CUDA, so it cannot use {cards}; nothing was started.",
            f"Install one with CUDA: python -m pip install --force-reinstall torch. {on_cpu}",
        )
    if not answer.value["available"] or answer.value["devices"] < len(placement.visible):
        raise PrerequisiteError(
            f"PyTorch, built for CUDA {answer.value['cuda']}, sees {answer.value['devices']} cards and not "
            f"{cards}; nothing was started.",
            f"Check the driver's version and CUDA_VISIBLE_DEVICES with: python -m bench doctor. {on_cpu}",
        )
