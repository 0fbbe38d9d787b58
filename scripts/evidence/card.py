"""`python -m scripts.evidence.card`: the cards that a run would use, as JSON, without importing PyTorch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import click

from bench.cli import options
from bench.machine.placement import place
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from scripts.evidence.probing import print_json


@dataclass(frozen=True)
class CardInUse:
    """The cards in use as one: UUIDs joined by `+`, names, and the memory of the smallest of them."""

    key: str
    name: str
    memory_gb: float | None


def card(drivers: GpuDrivers, gpus: str | None) -> CardInUse:
    """The cards that a run with these `--gpus` would use. Raises UsageError."""
    used = place(drivers, gpus, "cuda").visible
    sizes = [size for gpu in used if (size := _memory_gb(gpu)) is not None]
    return CardInUse(
        "+".join(gpu.uuid for gpu in used),
        ", ".join(gpu.name for gpu in used),
        min(sizes) if len(sizes) == len(used) else None,
    )


def _memory_gb(gpu: Gpu) -> float | None:
    size = gpu.identity().memory_bytes
    return None if size is None else float(size) / 1e9


@click.command()
@options.gpus_option
def main(gpus: str | None) -> None:
    """Print the cards' UUIDs, names and memory."""

    def in_use(drivers: GpuDrivers, _: Gpu) -> dict[str, Any]:
        return asdict(card(drivers, gpus))

    print_json(in_use, gpus)


if __name__ == "__main__":
    main()
