"""Placement of a case on devices, and the cards to meter.

Two questions are kept apart: what the work may use, and what is counted. With `--gpus` the named cards are
both, unless the work runs on the CPU or outside this process: then they are only metered. Without it the
worker reports after loading which cards it really uses, by UUID, because CUDA's numbers are not the driver's.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Literal

from bench.errors import MeterError, PrerequisiteError, UsageError
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDriver, GpuDrivers, matching


@dataclass(frozen=True)
class Placement:
    """`device` is where the work runs; `named` are the cards given with --gpus."""

    device: Literal["cuda", "cpu"]
    named: tuple[Gpu, ...] = ()
    visible: tuple[Gpu, ...] = ()
    """The cards the work may use, best guess before CUDA has been asked."""
    environment: dict[str, str] = field(default_factory=dict)
    busy: tuple[Gpu, ...] = ()
    """Visible cards on which a process computed before the run."""

    @property
    def cards(self) -> tuple[Gpu, ...]:
        """The cards that matter: those named, else those the work may use."""
        return self.named or self.visible

    @property
    def torch_devices(self) -> tuple[str, ...]:
        """Devices that a model may be spread over, by torch's names in its process: `cuda:0`, `cpu`."""
        if self.device == "cpu":
            return ("cpu",)
        kinds = [gpu.facts.torch_device for gpu in self.visible]
        return tuple(f"{kind}:{kinds[:at].count(kind)}" for at, kind in enumerate(kinds))

    def shares(self, replicas: int) -> tuple[Placement, ...]:
        """The place of each replica: as many cards each, by their order. All of them share a CPU.

        The cards are a multiple of the replicas, as those of a case are. Raises UsageError where they are
        fewer.
        """
        if self.device == "cpu" or replicas == 1:
            return (self,) * replicas
        each, left = divmod(len(self.visible), replicas)
        if not each:
            there = "is 1" if len(self.visible) == 1 else f"are {len(self.visible)}"
            raise UsageError(
                f"{replicas} replicas need at least {replicas} cards, and there {there}.",
                f"Name {replicas} cards or more with --gpus.",
            )
        assert not left, "the cards of a case are a multiple of its replicas"
        return tuple(self.of(self.visible[at : at + each]) for at in range(0, len(self.visible), each))

    def of(self, cards: tuple[Gpu, ...]) -> Placement:
        """The place of work that sees these of its cards alone."""
        return Placement(self.device, cards, cards, _environment(cards, named=True))


def place(drivers: GpuDrivers, gpus: str | None, device: Literal["auto", "cuda", "cpu"]) -> Placement:
    """Decide from the options and the environment. Raises UsageError or PrerequisiteError."""
    named = named_cards(drivers, gpus, "--gpus") if gpus is not None else ()
    if device == "cpu":
        return Placement("cpu", named)
    visible = tuple(gpu for gpu in named or visible_cards(drivers) if gpu.facts.takes_work)
    if device == "auto" and not visible:
        return Placement("cpu", named)
    if not visible:
        reason = drivers.absent or _why_unusable(drivers, named)
        raise PrerequisiteError(
            f"--device cuda was asked for, but no {drivers.vendors} GPU can be used: {reason}.",
            "Look at `python -m bench doctor`, or use --device cpu.",
        )
    visible = visible if named else visible[:1]
    for gpu in visible:
        if (refusal := gpu.refusal()) is not None:
            raise PrerequisiteError(*refusal)
    busy = tuple(gpu for gpu in visible if len(visible) > 1 and gpu.compute_processes()[0])
    return Placement("cuda", named, visible, _environment(visible, named=bool(named)), busy)


def _why_unusable(drivers: GpuDrivers, named: Sequence[Gpu]) -> str:
    """Reason why no case can be placed on the cards of this machine."""
    hiding = [
        driver.facts.visible_by
        for driver in drivers.opened
        if driver.gpus and driver.facts.takes_work and driver.facts.visible_by
    ]
    if named or not hiding:
        names = dict.fromkeys(gpu.name for gpu in named or drivers.gpus)
        return f"{', '.join(names)} can be metered, and no engine works on it"
    return f"{' and '.join(hiding)} hides every GPU"


def _environment(visible: Sequence[Gpu], *, named: bool) -> dict[str, str]:
    """Variables for the work: the numbers are the drivers', and of named cards it sees no others."""
    environment: dict[str, str] = {}
    for gpu in visible:
        environment |= {key: value for key, value in gpu.facts.order.items() if key not in os.environ}
    return environment | (visible_only(visible) if named else {})


def visible_only(cards: Sequence[Gpu]) -> dict[str, str]:
    """Variables with which a process sees these cards alone."""
    return {
        str(variable): ",".join(gpu.uuid for gpu in cards if gpu.facts.visible_by == variable)
        for variable in dict.fromkeys(gpu.facts.visible_by for gpu in cards)
    }


def named_cards(drivers: GpuDrivers, text: str, where: str) -> tuple[Gpu, ...]:
    """The cards of a list such as `0,GPU-1a2b`, given as `where`. Raises UsageError or PrerequisiteError."""
    found: dict[str, Gpu] = {}
    for part in (piece.strip() for piece in text.split(",")):
        if not part:
            raise UsageError(f'{where}: "{text}" names no card.', "Give indices or UUIDs, such as 0,1.")
        for driver in drivers.opened:
            _refuse_uncounted(driver, part, where)
        try:
            gpu = drivers.find(part)
        except MeterError as error:
            raise UsageError(f"{where}: {error.message}", error.remedy) from error
        found[gpu.uuid] = gpu
    return tuple(found.values())


def visible_cards(drivers: GpuDrivers) -> tuple[Gpu, ...]:
    """The cards that the work will be allowed to see: exact for UUIDs and equal cards.

    Of a driver without such a variable they are all its cards.
    """
    return tuple(gpu for driver in drivers.opened for gpu in _visible(driver))


def _visible(driver: GpuDriver) -> tuple[Gpu, ...]:
    variable = driver.facts.visible_by
    setting = os.environ.get(variable) if variable else None
    if setting is None:
        return driver.gpus
    chosen: list[Gpu] = []
    for part in (piece.strip() for piece in setting.split(",")):
        _refuse_uncounted(driver, part, str(variable))
        found = matching(driver.gpus, part, attrgetter("number"))
        if len(found) != 1:
            break  # CUDA, too, ignores everything from the first unknown entry on
        if found[0] in chosen:
            return ()  # CUDA shows no card at all where one is named twice
        chosen.append(found[0])
    return tuple(chosen)


def counted(names: Iterable[str]) -> str:
    """Names of cards, each once with how many there are: `8 × NVIDIA H100 80GB HBM3, NVIDIA L4`."""
    counts = Counter(names)
    return ", ".join(name if count == 1 else f"{count} × {name}" for name, count in counts.items())


def hidden_cards(drivers: GpuDrivers) -> str | None:
    """Reason why the work cannot see cards of this machine; `None` if no variable hides any.

    They are named: `CUDA_VISIBLE_DEVICES=0 hides 2 of 3 cards (GPU 1, 2: NVIDIA H200); ...`.
    """
    found = [text for driver in drivers.opened if (text := _hidden(driver)) is not None]
    return f"{' and '.join(found)}; name cards with --gpus to meter them" if found else None


def _hidden(driver: GpuDriver) -> str | None:
    variable, visible = driver.facts.visible_by, _visible(driver)
    hidden = [gpu for gpu in driver.gpus if gpu not in visible]
    if not hidden or variable is None:
        return None
    count = len(driver.gpus)
    which = f"{len(hidden)} of {count} cards" if visible else f"all {count} cards"
    which = "the only card" if count == 1 else which
    return f"{variable}={os.environ.get(variable)} hides {which} ({listed(hidden)})"


def listed(gpus: Sequence[Gpu]) -> str:
    """Cards by index, those of one name together: `GPU 0, 2: NVIDIA H200; GPU 1: NVIDIA L4`."""
    indices: dict[str, list[str]] = {}
    for gpu in gpus:
        indices.setdefault(gpu.name, []).append(str(gpu.index))
    return "; ".join(f"GPU {', '.join(numbers)}: {name}" for name, numbers in indices.items())


def _refuse_uncounted(driver: GpuDriver, part: str, where: str) -> None:
    """Raise PrerequisiteError for a name of what its vendor's driver does not count by itself."""
    for beginning, what in driver.facts.uncounted.items():
        if part.upper().startswith(beginning):
            raise PrerequisiteError(
                f"{where} names the {what} {part}, which has no energy counter of its own.",
                "Measure on a whole GPU.",
            )
