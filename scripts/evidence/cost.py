"""`python -m scripts.evidence.cost`: what the meters cost work on the GPU, with them on and off by turns."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from bench.cli import options
from bench.core.modalities.text import TextOptions
from bench.core.weights import Weights
from bench.engines.base import EngineSpec
from bench.machine.placement import place
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from scripts.accuracy.overhead import SPEC, overhead
from scripts.evidence.probing import print_json

ON_GPU = EngineSpec(
    "bloom-560m",
    Weights(kind="random", architecture="bloom-560m"),
    TextOptions(new_tokens=64),
    "bfloat16",
    1,
    ("cuda:0",),
)
"""The smallest model of the suite: its launches leave the host the least time to spare."""


@click.command()
@options.results_option
@options.gpus_option
@click.option("--rounds", type=click.IntRange(2, 1000), default=20, help="Of on, off, off, on.")
@click.option("--turn-seconds", type=options.Finite(min=0.1), default=2.5, help="Length of a turn.")
@click.option("--device", type=click.Choice(["cuda", "cpu"]), default="cuda")
def main(results: Path, gpus: str | None, rounds: int, turn_seconds: float, device: str) -> None:
    """Print the time of the work with the meters on over that with them off."""
    spec = ON_GPU if device == "cuda" else SPEC

    def measure(drivers: GpuDrivers, gpu: Gpu) -> dict[str, Any]:
        # Before PyTorch is first imported: `cuda:0` is then the card that is metered, also with --gpus.
        os.environ.update(place(drivers, gpus, "cuda").environment)
        return asdict(overhead(rounds, spec, turn_seconds, gpu.index))

    print_json(measure, gpus)


if __name__ == "__main__":
    main()
