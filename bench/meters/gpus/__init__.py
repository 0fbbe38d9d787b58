"""Drivers of cards: what reads a vendor's GPUs, each a file of this folder.

    with GpuDrivers() as drivers:
        for gpu in drivers.gpus:
            print(gpu.index, gpu.uuid, gpu.sample())

A file is a driver if it defines `open_driver(first_index)`. Nothing else lists them: recorder, windows, live
view, doctor, placement and budget go by the cards and their `facts`. Cards are numbered through the files in
the order of their names, so with one vendor's cards alone an index is the driver's own number.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from operator import attrgetter
from types import TracebackType
from typing import Protocol, cast

from bench.errors import MeterError
from bench.meters.gpu import DriverVersions, Gpu, GpuDriverFacts


class GpuDriver(Protocol):
    """One process' connection to a vendor's driver."""

    @property
    def facts(self) -> GpuDriverFacts:
        """What is known of it before a card is read."""

    @property
    def gpus(self) -> tuple[Gpu, ...]:
        """Its cards, in the order of their numbers."""

    @property
    def absent(self) -> str | None:
        """The reason for having no card; `None` with cards."""

    @property
    def lost(self) -> dict[str, str]:
        """Cards that answered no identity, by index on this machine, with the reason."""

    def versions(self) -> DriverVersions:
        """Its versions."""

    def close(self) -> None:
        """End the connection; harmless where there was none."""


class GpuDriverModule(Protocol):
    """What a file of this folder defines."""

    def open_driver(self, first_index: int) -> GpuDriver:
        """Connect to the driver, whose cards begin at `first_index`; a missing driver raises nothing."""


class GpuDrivers:
    """A connection to each driver of this folder, for the life of a `with` block (or until `close`).

    Without a card, or a driver, `gpus` is empty and `absent` has the reason, so that callers have one path.
    """

    def __init__(self) -> None:
        self.opened: list[GpuDriver] = []
        self.gpus: tuple[Gpu, ...] = ()
        self.lost: dict[str, str] = {}
        """Cards that answered no identity, by index, with the reason."""
        for found in pkgutil.iter_modules(__path__):
            module = cast(GpuDriverModule, importlib.import_module(f"{__name__}.{found.name}"))
            driver = module.open_driver(len(self.gpus) + len(self.lost))
            self.opened.append(driver)
            self.gpus += driver.gpus
            self.lost |= driver.lost

    def __enter__(self) -> GpuDrivers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all connections; harmless where there was none."""
        for driver in self.opened:
            driver.close()
        self.gpus = ()

    @property
    def absent(self) -> str | None:
        """The reason for having no card that can be metered; `None` with cards."""
        if self.gpus:
            return None
        if len(self.opened) == 1:
            return self.opened[0].absent
        return "; ".join(f"{driver.facts.vendor}: {driver.absent}" for driver in self.opened)

    @property
    def vendors(self) -> str:
        """The vendors whose cards can be metered: `NVIDIA`, or `NVIDIA or AMD`."""
        return " or ".join(driver.facts.vendor for driver in self.opened)

    def find(self, wanted: str) -> Gpu:
        """A card by index or UUID (a unique beginning is enough). Raises MeterError."""
        matches = matching(self.gpus, wanted, attrgetter("index"))
        if len(matches) == 1:
            return matches[0]
        known = ", ".join(f"{gpu.index} ({gpu.uuid})" for gpu in self.gpus)
        what = "matches several GPUs" if matches else "is no GPU of this machine"
        if wanted in self.lost or not self.gpus:
            what = f"cannot be used: {self.lost.get(wanted, self.absent)}"
        remedy = f"Known: {known}." if known else "`python -m bench doctor` lists what can be measured here."
        raise MeterError(f'"{wanted}" {what}.', remedy)


def matching(gpus: Iterable[Gpu], wanted: str, number: Callable[[Gpu], int]) -> list[Gpu]:
    """Those of the cards that have this number, or a UUID that begins so."""
    if wanted.isdecimal():
        return [gpu for gpu in gpus if number(gpu) == int(wanted)]
    return [gpu for gpu in gpus if wanted and gpu.uuid.lower().startswith(wanted.lower())]
