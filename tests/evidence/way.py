"""`python -m tests.evidence.way`: whether NVML and PyTorch see the card of a run; versions, as JSON.

Nothing else is vital: a CodeCarbon that breaks costs its own figures and no others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bench.cli import options
from bench.errors import PrerequisiteError
from bench.meters import gpu_state
from bench.meters.nvml import Gpu
from bench.runner import provenance
from tests.evidence.probing import tell


def way(gpu: Gpu, device: str) -> dict[str, Any]:
    """Identity of the card, and a matrix product on it. Raises PrerequisiteError where PyTorch cannot."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise PrerequisiteError(
            f"NVML sees {gpu.name}, and PyTorch {torch.__version__} (CUDA {torch.version.cuda}) sees no GPU.",
            "Install a PyTorch build that fits the driver: `python -m bench doctor` names it.",
        )
    ones = torch.ones(256, 256, device=device)
    cudnn: Any = torch.backends.cudnn
    return {
        "uuid": gpu.uuid,
        "identity": gpu_state.identity(gpu),
        "driver": gpu_state.driver(),
        "libraries": provenance.libraries(),
        "git": provenance.git(),
        "cuda": torch.version.cuda,
        "cudnn": cudnn.version(),
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "product_of_ones": float((ones @ ones)[0, 0]),
    }


@click.command()
@options.results_option
@options.gpus_option
@click.option("--device", type=click.Choice(["cuda", "cpu"]), default="cuda")
def main(results: Path, gpus: str | None, device: str) -> None:
    """Print what is found; status 2 where NVML or PyTorch has no card."""
    tell(lambda _, gpu: way(gpu, device), gpus)


if __name__ == "__main__":
    main()
