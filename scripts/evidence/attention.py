"""`python -m scripts.evidence.attention`: what PyTorch's attention costs and gets right here, as JSON.

Twice, in a process each: as PyTorch orders its kernels, and with cuDNN's last, as in this project's workers.
What fails in one order, up to the death of its process, is a reason there and costs the other nothing.

    decode_ms    milliseconds of one decoding step over keys of a new length, and of a length used before
    masks        relative error of masked attention like T5's, PixArt's and a padded batch's, or why it fails
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import click

from bench.cli import options
from bench.errors import MeterError
from bench.machine.placement import place
from bench.machine.worker_environment import DEFAULTS
from bench.meters.gpu import Gpu
from scripts.evidence.probing import in_child, print_json

VARIABLE = "TORCH_CUDNN_SDPA_DEPRIORITIZED"
ORDERS = {"as PyTorch orders them": "0", "cuDNN last": DEFAULTS[VARIABLE]}
LIMIT_S = 40.0
"""For one order: imports and CUDA take 10 to 15 s on a cold machine, 30 graphs of cuDNN up to 15 s."""
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


def _t5_bias(device: str) -> tuple[tuple[int, ...], Any]:
    import torch

    bias = torch.randn(300, 300, 64, device=device, dtype=torch.bfloat16)
    return (1, 64, 300, 64), bias.permute(2, 0, 1)[None]


def _pixart_cross(device: str) -> tuple[tuple[int, ...], Any]:
    import torch

    return (2, 16, 4096, 72), torch.zeros(2, 16, 1, 300, device=device, dtype=torch.bfloat16)


def _padded_decode(device: str) -> tuple[tuple[int, ...], Any]:
    import torch

    padding = torch.ones(32, 1, 1, 300, device=device, dtype=torch.bool)
    padding[:, :, :, :20] = False
    return (32, 32, 1, 128), padding


Maker = Callable[[str], tuple[tuple[int, ...], Any]]
MASKS: Mapping[str, Maker] = {
    "T5 bias": _t5_bias,
    "PixArt cross": _pixart_cross,
    "padded decode": _padded_decode,
}
"""Shape of the query and the mask, made on a device."""


def relative_error(device: str, make: Maker) -> float:
    """Relative error of masked attention in bfloat16 against the same in 32 bits."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    shape, mask = make(device)
    query = torch.randn(shape, device=device, dtype=torch.bfloat16)
    keys = torch.randn(*shape[:2], mask.shape[-1], shape[3], device=device, dtype=torch.bfloat16)
    exact_mask = mask if mask.dtype == torch.bool else mask.float()
    result = scaled_dot_product_attention(query, keys, keys, attn_mask=mask).float()
    exact = scaled_dot_product_attention(query.float(), keys.float(), keys.float(), attn_mask=exact_mask)
    return float((result - exact).norm() / exact.norm())


def measured(device: str) -> dict[str, Any]:
    """Cost and errors in this process' order of kernels; a figure that is missing has a reason."""
    from bench.engines.device.placed import device_uuids

    answer: dict[str, Any] = {"uuids": device_uuids((f"{device}:0",))}
    try:
        answer["decode_ms"] = decode_ms(device)
    except RuntimeError as error:
        answer |= {"decode_ms": None, "reason": _first_line(error)}
    answer["masks"] = {name: checked(device, make) for name, make in MASKS.items()}
    return answer


def checked(device: str, make: Maker) -> dict[str, Any]:
    """A relative error, or `null` and the reason where it fails or is not finite."""
    try:
        value = relative_error(device, make)
    except RuntimeError as error:
        return {"relative_error": None, "reason": _first_line(error)}
    if not math.isfinite(value):
        return {"relative_error": None, "reason": f"the error is {value}: attention returned NaN or infinity"}
    return {"relative_error": value}


def _first_line(error: RuntimeError) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _wait(device: str) -> None:
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


def both(gpu: Gpu, device: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Both orders by name, each in a process of its own."""
    orders = {}
    for name, value in ORDERS.items():
        try:
            answer = in_child(
                "scripts.evidence.attention",
                ["--device", device, "--alone"],
                {**environment, VARIABLE: value},
                LIMIT_S,
            )
            uuids = answer.pop("uuids", [])
        except MeterError as error:
            answer, uuids = _without(error.message), []
        if uuids not in ([], [gpu.uuid]):
            answer = _without(f"PyTorch worked on {', '.join(uuids)}, not on {gpu.uuid}.")
        orders[name] = answer
    return {"uuid": gpu.uuid, "orders": orders}


def _without(reason: str) -> dict[str, Any]:
    return {"decode_ms": None, "masks": {}, "reason": reason}


@click.command()
@options.results_option
@options.gpus_option
@click.option("--device", type=click.Choice(["cuda", "cpu"]), default="cuda")
@click.option("--alone", is_flag=True, help="In this process, with the variables that it has.")
def main(results: Path, gpus: str | None, device: str, alone: bool) -> None:
    """Print cost and errors of attention in both orders."""
    if alone:
        click.echo(json.dumps(measured(device), allow_nan=False))
        return
    print_json(lambda drivers, gpu: both(gpu, device, place(drivers, gpus, "cuda").environment), gpus)


if __name__ == "__main__":
    main()
