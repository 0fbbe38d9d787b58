"""`python -m scripts.evidence.access`: whether NVML and PyTorch see the card of a run; versions, as JSON.

Nothing else is vital: a CodeCarbon that breaks costs its own figures and no others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from bench.cli import options
from bench.errors import MeterError, PrerequisiteError
from bench.machine import provenance
from bench.machine.placement import place
from bench.meters.gpu import Gpu
from scripts.evidence.probing import in_child, print_json

LIMIT_S = 90.0
"""A cold import of PyTorch and the first use of CUDA."""
REMEDY = "Install a PyTorch build that fits the driver: `python -m bench doctor` names it."


def pytorch(device: str) -> dict[str, Any]:
    """Versions, and a matrix product on the first device that this process sees."""
    import torch

    from bench.engines.device.placed import device_uuids

    if device == "cuda" and not torch.cuda.is_available():
        return {"versions": f"{torch.__version__} (CUDA {torch.version.cuda})", "available": False}
    ones = torch.ones(256, 256, device=device)
    cudnn: Any = torch.backends.cudnn
    return {
        "available": True,
        "uuids": device_uuids((f"{device}:0",)),
        "cuda": torch.version.cuda,
        "cudnn": cudnn.version(),
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "product_of_ones": float((ones @ ones)[0, 0]),
    }


def access(gpu: Gpu, device: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Identity of the card, and a matrix product on it. Raises PrerequisiteError where PyTorch cannot."""
    try:
        answer = in_child("scripts.evidence.access", ["--device", device, "--alone"], environment, LIMIT_S)
    except MeterError as error:
        raise PrerequisiteError(f"PyTorch cannot work here: {error.message}", REMEDY) from error
    if not answer.pop("available"):
        raise PrerequisiteError(
            f"NVML sees {gpu.name}, and PyTorch {answer['versions']} sees no GPU.", REMEDY
        )
    uuids = answer.pop("uuids")
    if uuids not in ([], [gpu.uuid]):
        raise PrerequisiteError(
            f"PyTorch works on {', '.join(uuids)}, and NVML measures {gpu.uuid}.",
            "Name the card: --gpus UUID.",
        )
    return {
        "uuid": gpu.uuid,
        "identity": gpu.identity(),
        "driver": gpu.versions()._asdict(),
        "libraries": provenance.libraries(),
        "git": provenance.git(),
        **answer,
    }


@click.command()
@options.results_option
@options.gpus_option
@click.option("--device", type=click.Choice(["cuda", "cpu"]), default="cuda")
@click.option("--alone", is_flag=True, help="PyTorch's view of the card, in this process.")
def main(results: Path, gpus: str | None, device: str, alone: bool) -> None:
    """Print identity and versions; status 2 where NVML or PyTorch has no card."""
    if alone:
        click.echo(json.dumps(pytorch(device), allow_nan=False))
        return
    print_json(lambda drivers, gpu: access(gpu, device, place(drivers, gpus, "cuda").environment), gpus)


if __name__ == "__main__":
    main()
