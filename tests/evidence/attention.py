"""`python -m tests.evidence.attention`: what PyTorch's attention costs and gets right on this card, as JSON.

Twice, in a process each: as PyTorch orders its kernels, and with cuDNN's last, as in this project's workers.

    decode    milliseconds of one decoding step over keys of a new length, and of a length seen before
    masks     relative error of masked attention like T5's, PixArt's and a padded batch's, or why it fails
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import click

from bench.cli import options
from bench.errors import MeterError
from bench.meters.nvml import Gpu
from bench.runner.worker_environment import DEFAULTS
from tests.evidence.probing import tell

VARIABLE = "TORCH_CUDNN_SDPA_DEPRIORITIZED"
ORDERS = {"as PyTorch orders them": "0", "cuDNN last": DEFAULTS[VARIABLE]}
LIMIT_S = 120.0
LENGTHS = range(100, 130)


def decode_ms(device: str) -> dict[str, float]:
    """Milliseconds of one decoding step with 32 heads over 8: a new length of keys, and a known one."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    dtype = torch.bfloat16
    query = torch.randn(1, 32, 1, 128, device=device, dtype=dtype)
    rounds = []
    for _ in range(2):
        times = []
        for length in LENGTHS:
            keys = torch.randn(1, 8, length, 128, device=device, dtype=dtype)
            _wait(device)
            begun_s = time.perf_counter()
            scaled_dot_product_attention(query, keys, keys, enable_gqa=True)
            _wait(device)
            times.append(1e3 * (time.perf_counter() - begun_s))
        rounds.append(median(times))
    return {"new_length": rounds[0], "known_length": rounds[1]}


def masks(device: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each mask by name: the relative error against 32-bit attention, or what PyTorch said."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    dtype = torch.bfloat16
    bias = torch.randn(300, 300, 64, device=device, dtype=dtype).permute(2, 0, 1)[None]
    none_hidden = torch.zeros(2, 16, 1, 300, device=device, dtype=dtype)
    padding = torch.ones(32, 1, 1, 300, device=device, dtype=torch.bool)
    padding[:, :, :, :20] = False
    shapes = {
        "T5 bias": ((1, 64, 300, 64), bias),
        "PixArt cross": ((2, 16, 4096, 72), none_hidden),
        "padded decode": ((32, 32, 1, 128), padding),
    }
    for name, (shape, mask) in shapes.items():
        query = torch.randn(shape, device=device, dtype=dtype)
        keys = torch.randn(*shape[:2], mask.shape[-1], shape[3], device=device, dtype=dtype)
        exact_mask = mask if mask.dtype == torch.bool else mask.float()
        try:
            found = scaled_dot_product_attention(query, keys, keys, attn_mask=mask).float()
            exact = scaled_dot_product_attention(
                query.float(), keys.float(), keys.float(), attn_mask=exact_mask
            )
            yield name, {"relative_error": float((found - exact).norm() / exact.norm())}
        except RuntimeError as error:
            yield name, {"relative_error": None, "reason": str(error).splitlines()[0][:200]}


def _wait(device: str) -> None:
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


def both(gpu: Gpu, device: str) -> dict[str, Any]:
    """Both orders, each in a process of its own. Raises MeterError where one does not end well."""
    found: dict[str, Any] = {"uuid": gpu.uuid}
    for name, value in ORDERS.items():
        done = subprocess.run(
            [sys.executable, "-m", "tests.evidence.attention", "--device", device, "--alone"],
            env={**os.environ, VARIABLE: value},
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
        if done.returncode:
            raise MeterError(f"Attention, {name}: {done.stderr.strip().splitlines()[-1][:200]}")
        found[name] = json.loads(done.stdout.splitlines()[-1])
    return found


@click.command()
@options.results_option
@options.gpus_option
@click.option("--device", type=click.Choice(["cuda", "cpu"]), default="cuda")
@click.option("--alone", is_flag=True, help="In this process, with the variables that it has.")
def main(results: Path, gpus: str | None, device: str, alone: bool) -> None:
    """Print what is found of both orders."""
    if alone:
        click.echo(json.dumps({"decode_ms": decode_ms(device), "masks": dict(masks(device))}))
        return
    tell(lambda _, gpu: both(gpu, device), gpus)


if __name__ == "__main__":
    main()
