"""Checks of this machine's software for every case of a run, once, before the first record.

A case that cannot load leaves a failed record. Where all of them must fail for one reason, that reason is an
error before the run, and nothing is written.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

from bench.catalog.cases import Case
from bench.dependencies import install_command
from bench.doctor.probes import TORCH, Probe, ProbeAnswer
from bench.errors import PrerequisiteError
from bench.machine.placement import Placement
from bench.worker import producers

PROBE_S = 60.0
"""Limit for the import of PyTorch, which takes 3 to 10 s; later than that, the first case shows it."""


def require_software(cases: Iterable[Case], placement: Placement) -> None:
    """Raise PrerequisiteError where no case has its packages, or PyTorch cannot use the cards.

    A case that alone lacks one fails when it is loaded, and the others are measured. Raises UsageError for a
    workload that nothing here can do.
    """
    needed = [set(producers.of(case.workload).packages(case)) for case in cases]
    lacking = [{name for name in each if importlib.util.find_spec(name) is None} for each in needed]
    if lacking and all(lacking):
        missing = ", ".join(sorted(set().union(*lacking)))
        raise PrerequisiteError(
            f"Not installed: {missing}. Running a model needs it, so nothing was started.",
            f"Install it with: {install_command('run')}",
        )
    if placement.device == "cuda" and "torch" in set().union(*needed):
        probe = Probe(TORCH, (), PROBE_S, placement.environment)
        require_cuda(probe.answer(), placement)


def require_cuda(answer: ProbeAnswer, placement: Placement) -> None:
    """Raise PrerequisiteError where, by its `answer`, PyTorch cannot use the cards of the run."""
    if answer.late:
        return
    cards = ", ".join(gpu.name for gpu in placement.visible)
    on_cpu = "To run on the CPU: --device cpu."
    if answer.value is None:
        raise PrerequisiteError(
            f"PyTorch does not import: {answer.error}.", f"Install it anew: {install_command('run')}"
        )
    if answer.value["cuda"] is None:
        raise PrerequisiteError(
            f"This PyTorch is built without CUDA, so it cannot use {cards}; nothing was started.",
            f"Install one with CUDA: python -m pip install --force-reinstall torch. {on_cpu}",
        )
    if not answer.value["available"] or answer.value["devices"] < len(placement.visible):
        raise PrerequisiteError(
            f"PyTorch, built for CUDA {answer.value['cuda']}, sees {answer.value['devices']} cards, not "
            f"{cards}; nothing was started.",
            f"Check the driver's version and CUDA_VISIBLE_DEVICES with: python -m bench doctor. {on_cpu}",
        )
