"""Placement of a case on devices, and the cards to meter.

Two questions are kept apart: what the work may use, and what is counted. With `--gpus` the named cards are
both, unless the work runs on the CPU or outside this process: then they are only metered. Without it the
worker reports after loading which cards it really uses, by UUID, because CUDA's numbers are not NVML's.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from bench.errors import MeterError, PrerequisiteError, UsageError
from bench.meters import gpu_state
from bench.meters.nvml import Gpu, Nvml


@dataclass(frozen=True)
class Placement:
    """`device` is where the work runs; `named` are the cards given with --gpus."""

    device: Literal["cuda", "cpu"]
    named: tuple[Gpu, ...] = ()
    visible: tuple[Gpu, ...] = ()
    """The cards the work may use, best guess before CUDA has been asked."""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def cards(self) -> tuple[Gpu, ...]:
        """The cards that matter: those named, else those the work may use."""
        return self.named or self.visible

    @property
    def spread_over(self) -> int:
        """Most cards that a model may be spread over."""
        return max(1, len(self.named))


def place(nvml: Nvml, gpus: str | None, device: Literal["auto", "cuda", "cpu"]) -> Placement:
    """Decide from the options and the environment. Raises UsageError or PrerequisiteError."""
    named = named_cards(nvml, gpus, "--gpus") if gpus is not None else ()
    if device == "cpu":
        return Placement("cpu", named)
    visible = named or visible_cards(nvml)
    if device == "auto" and not visible:
        return Placement("cpu", named)
    if not visible:
        seen = nvml.absent or "CUDA_VISIBLE_DEVICES hides every GPU"
        raise PrerequisiteError(
            f"--device cuda was asked for, but no NVIDIA GPU can be used: {seen}.",
            "Check nvidia-smi and CUDA_VISIBLE_DEVICES, or use --device cpu.",
        )
    visible = visible if named else visible[:1]
    for gpu in visible:
        if gpu_state.identity(gpu).mig:
            raise PrerequisiteError(
                f"{gpu.name} ({gpu.uuid}) is split into MIG slices, and a slice has no counter of its own.",
                "Name another card with --gpus, or measure where MIG is off.",
            )
    # NVML counts by bus, CUDA the fastest first by default: `cuda:0` has to be NVML's first card.
    environment = {} if "CUDA_DEVICE_ORDER" in os.environ else {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    if named:
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(gpu.uuid for gpu in named)
    return Placement("cuda", named, visible, environment)


def named_cards(nvml: Nvml, text: str, where: str) -> tuple[Gpu, ...]:
    """The cards of a list such as `0,GPU-1a2b`, given as `where`. Raises UsageError or PrerequisiteError."""
    found: dict[str, Gpu] = {}
    for part in (piece.strip() for piece in text.split(",")):
        if not part:
            raise UsageError(f'{where}: "{text}" names no card.', "Give NVML indices or UUIDs, such as 0,1.")
        _refuse_mig(part, where)
        try:
            gpu = nvml.find(part)
        except MeterError as error:
            raise UsageError(f"{where}: {error.message}", error.remedy) from error
        found[gpu.uuid] = gpu
    return tuple(found.values())


def visible_cards(nvml: Nvml) -> tuple[Gpu, ...]:
    """The cards that CUDA will be allowed to see: exact for UUIDs and equal cards."""
    setting = os.environ.get("CUDA_VISIBLE_DEVICES")
    if setting is None:
        return nvml.gpus
    chosen: list[Gpu] = []
    for part in (piece.strip() for piece in setting.split(",")):
        _refuse_mig(part, "CUDA_VISIBLE_DEVICES")
        try:
            gpu = nvml.find(part)
        except MeterError:
            break  # CUDA, too, ignores everything from the first unknown entry on
        if gpu in chosen:
            return ()  # CUDA shows no card at all where one is named twice
        chosen.append(gpu)
    return tuple(chosen)


def hidden_cards(nvml: Nvml) -> str | None:
    """Reason why the work cannot see cards of this machine; `None` if CUDA_VISIBLE_DEVICES hides none.

    They are named: `CUDA_VISIBLE_DEVICES=0 hides 2 of 3 cards (GPU 1, 2: NVIDIA H200); ...`.
    """
    setting = os.environ.get("CUDA_VISIBLE_DEVICES")
    visible = visible_cards(nvml) if setting is not None else nvml.gpus
    hidden = [gpu for gpu in nvml.gpus if gpu not in visible]
    if not hidden:
        return None
    count = len(nvml.gpus)
    which = f"{len(hidden)} of {count} cards" if visible else f"all {count} cards"
    which = "the only card" if count == 1 else which
    return (
        f"CUDA_VISIBLE_DEVICES={setting} hides {which} ({_listed(hidden)}); "
        "name cards with --gpus to meter them"
    )


def _listed(gpus: Sequence[Gpu]) -> str:
    """Cards by index, those of one name together: `GPU 0, 2: NVIDIA H200; GPU 1: NVIDIA L4`."""
    indices: dict[str, list[str]] = {}
    for gpu in gpus:
        indices.setdefault(gpu.name, []).append(str(gpu.index))
    return "; ".join(f"GPU {', '.join(numbers)}: {name}" for name, numbers in indices.items())


def _refuse_mig(part: str, where: str) -> None:
    if part.upper().startswith("MIG-"):
        raise PrerequisiteError(
            f"{where} names the MIG slice {part}, and a slice has no energy counter of its own.",
            "Measure on a whole GPU: NVML's power and energy are the card's.",
        )
