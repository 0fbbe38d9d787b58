"""Energy sources: counters of joules that the recorder reads on every tick, each a file of this folder.

    sources = opened()
    sources.domains                         # {"cpu:package-0": SourceFacts("rapl", ...), ...}
    sources.read()                          # {"cpu:package-0": Reading(t_ns, energy_j), ...}

A file is a source if it defines `FACTS` (a `SourceFacts`) and `open_source()`, which finds what of it is
here. Nothing else lists them: recorder, meter_set, live account, trace and budget go by `domains`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterator
from typing import Protocol, cast

from bench.core.source import SourceFacts
from bench.meters.base import Reading


class SourceModule(Protocol):
    """Contents of a file of this folder."""

    FACTS: SourceFacts

    def open_source(self) -> EnergySource:
        """Open this source's counters on this machine; never raises if there are none."""


class EnergySource(Protocol):
    """Counters of joules of this machine, each of one domain; `read` is called about 23 times a second.

    What answers slowly is read in a thread of its own: `read` gives the latest reading, with its own stamp.
    """

    @property
    def domains(self) -> tuple[str, ...]:
        """Readable domains, such as `cpu:package-0` or `wall:rack`."""

    @property
    def absent(self) -> dict[str, str]:
        """Domains that cannot be read here, with reasons."""

    def read(self) -> dict[str, Reading]:
        """Joules of every domain since some origin. Never raises for a domain that fails."""


class Sources:
    """All sources of this machine."""

    def __init__(self, sources: list[tuple[SourceFacts, EnergySource]]) -> None:
        self._sources = [source for _, source in sources]
        self.domains: dict[str, SourceFacts] = {
            domain: facts for facts, source in sources for domain in source.domains
        }
        self.absent: dict[str, str] = {
            domain: reason for _, source in sources for domain, reason in source.absent.items()
        }

    def read(self) -> dict[str, Reading]:
        """A reading by domain."""
        return {name: reading for source in self._sources for name, reading in source.read().items()}


def opened(besides: Collection[SourceFacts] = ()) -> Sources:
    """Every source of this folder but those, as far as this machine has it."""
    chosen = [module for module in _modules() if module.FACTS not in besides]
    return Sources([(module.FACTS, module.open_source()) for module in chosen])


def _modules() -> Iterator[SourceModule]:
    for module in pkgutil.iter_modules(__path__):
        yield cast(SourceModule, importlib.import_module(f"{__name__}.{module.name}"))
