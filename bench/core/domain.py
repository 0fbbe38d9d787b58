"""Domains: what one energy source covers, such as one card, one CPU package or one memory controller.

    Domain.parse("gpu:GPU-1a2b").scope                       # "gpu"
    by_scope(["gpu:GPU-1a2b", "cpu:package-0", "dram:0"])     # {"gpu": [...], "host": [...]}

A record names a domain by its text, `<prefix>:<name>` or `<prefix>` alone. The prefix is the kind of
device it is, and with that its scope.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from bench.core.scope import METERED, MeteredScope

DeviceKind = Literal["gpu", "cpu", "memory", "wall"]

CPU_ESTIMATE = "cpu-estimate"
RAM_ESTIMATE = "ram-estimate"


HOST_DEVICES: tuple[DeviceKind, ...] = ("cpu", "memory")
ESTIMATES: dict[DeviceKind, str] = {"cpu": CPU_ESTIMATE, "memory": RAM_ESTIMATE}
"""The domain of a model of power, where no source reads the device."""


class _Prefix(NamedTuple):
    device: DeviceKind
    estimate: bool = False


_PREFIXES = {
    "gpu": _Prefix("gpu"),
    "cpu": _Prefix("cpu"),
    "dram": _Prefix("memory"),
    "wall": _Prefix("wall"),
    CPU_ESTIMATE: _Prefix("cpu", estimate=True),
    RAM_ESTIMATE: _Prefix("memory", estimate=True),
}

_SCOPES: dict[DeviceKind, MeteredScope] = {"gpu": "gpu", "cpu": "host", "memory": "host", "wall": "wall"}
"""The innermost scope of each kind of device."""

_ADDED: dict[MeteredScope, tuple[DeviceKind, ...]] = {
    "gpu": ("gpu",),
    "host": ("gpu", *HOST_DEVICES),
    "wall": ("wall",),
}
"""Devices whose joules are added up at each scope. A socket's joules already contain those of the host."""


@dataclass(frozen=True)
class Domain:
    """One domain by its text; `device` is `None` for a prefix that is not known here."""

    text: str
    prefix: str
    name: str
    device: DeviceKind | None
    estimate: bool = False
    """Whether it covers what no source reads, by a model of power."""

    @classmethod
    def parse(cls, text: str) -> Domain:
        """`gpu:GPU-1a2b` is the card of that UUID."""
        return _parse(text)

    @classmethod
    def gpu(cls, uuid: object) -> Domain:
        """The domain of a card."""
        return _parse(f"gpu:{uuid}")

    @property
    def is_gpu(self) -> bool:
        """Whether it is a card."""
        return self.device == "gpu"

    @property
    def scope(self) -> MeteredScope | None:
        """The innermost scope that includes it; `None` for an unknown kind of device."""
        return None if self.device is None else _SCOPES[self.device]

    def __str__(self) -> str:
        return self.text


@lru_cache(maxsize=1024)
def _parse(text: str) -> Domain:
    prefix, _, name = text.partition(":")
    device, estimate = _PREFIXES.get(prefix, (None, False))
    return Domain(text, prefix, name, device, estimate)


def of_device(names: Iterable[str], *devices: DeviceKind) -> list[str]:
    """Those of the domains that are of these kinds of device, in their order."""
    return [name for name in names if Domain.parse(name).device in devices]


def gpus(names: Iterable[str]) -> list[str]:
    """Those of the domains that are cards."""
    return of_device(names, "gpu")


def by_scope(names: Iterable[str]) -> dict[MeteredScope, list[str]]:
    """The domains that are added up at each scope, from the innermost to the outermost.

    A scope without a domain of its own is left out: cards alone have no `host`.

    A domain of an unknown kind is in none: see `unscoped`.
    """
    listed = list(names)
    own = {Domain.parse(name).scope for name in listed}
    return {scope: of_device(listed, *_ADDED[scope]) for scope in METERED if scope in own}


def unscoped(names: Iterable[str]) -> list[str]:
    """Domains of an unknown kind, whose joules are in no figure."""
    return [name for name in names if Domain.parse(name).scope is None]
