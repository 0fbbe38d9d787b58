"""Devices of text and image engines: waiting for them, and listing what is on them after loading.

require(("cuda:0",))          # EngineError where torch sees no such device
synchronise(("cuda:0",))      # returns when it is idle
device_uuids(("cuda:0",))     # ("GPU-...",), the names NVML uses
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import psutil
import torch

from bench.dependencies import package_version
from bench.engines.limits.refused import refused
from bench.errors import EngineError

_LIBRARIES = (
    "torch",
    "transformers",
    "diffusers",
    "accelerate",
    "tokenizers",
    "safetensors",
    "huggingface-hub",
    "torchao",
    "bitsandbytes",
)


def synchronise(devices: Sequence[str]) -> None:
    """Wait until every CUDA device of `devices` has finished what was asked of it; a CPU is always done."""
    for device in devices:
        if device.startswith("cuda"):
            torch.cuda.synchronize(device)


def require(devices: Sequence[str]) -> None:
    """Raise EngineError where a CUDA device is asked for that torch does not see."""
    for name in devices:
        if name == "cpu":
            continue
        seen = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not name.startswith("cuda") or (torch.device(name).index or 0) >= seen:
            raise EngineError(
                f"Device {name} does not exist: torch {torch.__version__} (built for CUDA "
                f"{torch.version.cuda or 'none'}) sees {seen} CUDA devices.",
                "Check nvidia-smi, CUDA_VISIBLE_DEVICES and torch's build.",
                missing=True,
            )


def require_one(devices: Sequence[str], model: str) -> None:
    """Raise EngineError where a model that runs on one device is asked to run on several."""
    if len(devices) > 1:
        raise refused(f"{model} runs on one device, not on {len(devices)}.", "Name one card with --gpus.")


def free_memory(devices: Sequence[str]) -> dict[int | str, int]:
    """Bytes free on each device, keyed as accelerate wants it: CUDA index, or `cpu`."""
    free: dict[int | str, int] = {}
    for name in devices:
        if name.startswith("cuda"):
            free[torch.device(name).index or 0] = torch.cuda.mem_get_info(name)[0]
        else:
            free[name] = psutil.virtual_memory().available
    return free


def empty_caches() -> None:
    """Give the allocator's idle memory back to the GPUs."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def memory_bytes(modules: Iterable[torch.nn.Module], devices: Sequence[str]) -> int:
    """Bytes taken on the devices: the allocator's figure on CUDA, parameters and buffers on a CPU."""
    if any(device.startswith("cuda") for device in devices):
        return sum(torch.cuda.memory_allocated(device) for device in devices)
    tensors = {id(t): t for module in modules for t in (*module.parameters(), *module.buffers())}
    return sum(map(_stored_bytes, tensors.values()))


def _stored_bytes(tensor: torch.Tensor) -> int:
    """Bytes of a tensor as it is stored, with the scales of a quantised one."""
    if hasattr(tensor, "__tensor_flatten__"):
        names, _ = tensor.__tensor_flatten__()
        return sum(int(getattr(tensor, name).nbytes) for name in names)
    state = getattr(tensor, "quant_state", None)
    return int(tensor.nbytes) + (0 if state is None else int(state.absmax.nbytes))


def device_uuids(devices: Sequence[str]) -> tuple[str, ...]:
    """`GPU-...` names of the CUDA devices, as NVML writes them; empty on a CPU."""
    cuda = [device for device in devices if device.startswith("cuda")]
    return tuple(f"GPU-{torch.cuda.get_device_properties(device).uuid}" for device in cuda)


def device_name(device: str) -> str:
    """The maker's name of a CUDA device; `cpu` for a CPU."""
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else "cpu"


def libraries() -> dict[str, str]:
    """Versions of the libraries that make output, and of CUDA where torch was built with it."""
    found = {name: version for name in _LIBRARIES if (version := package_version(name)) is not None}
    if torch.version.cuda is not None:
        found["cuda"] = torch.version.cuda
    return found


def parameter_count(module: torch.nn.Module) -> int:
    """Numbers in the model; tied ones count once."""
    return sum(map(_numbers, module.parameters()))


def _numbers(parameter: torch.Tensor) -> int:
    """Count of numbers in a parameter; two of them share a byte in 4 bits."""
    state = getattr(parameter, "quant_state", None)
    return parameter.numel() if state is None else math.prod(state.shape)


def dtype_name(module: torch.nn.Module) -> str:
    """The dtype that most of the model's numbers have, without the `torch.` in front."""
    sizes: dict[str, int] = {}
    for parameter in module.parameters():
        stored = getattr(parameter, "qdata", parameter)  # the stored part of a quantised tensor of torchao
        name = str(stored.dtype).removeprefix("torch.")
        sizes[name] = sizes.get(name, 0) + _numbers(parameter)
    return max(sizes, key=lambda name: sizes[name], default="none")


def float32_matmul() -> str:
    """How exactly torch multiplies float32 matrices: `highest`, `high` (TF32) or `medium`.

    torch 2.9 warns of deprecated settings where they are only read.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Please use the new API settings to control TF32")
        return torch.get_float32_matmul_precision()


def strays(modules: Iterable[torch.nn.Module], devices: Sequence[str]) -> set[str]:
    """Devices with parameters although they were not asked for (`cpu`, `meta`: offloaded)."""
    allowed = {_indexed(device) for device in devices}
    found = {parameter.device for module in modules for parameter in module.parameters()}
    return {str(device) for device in found - allowed}


def _indexed(name: str) -> torch.device:
    """`cuda` is `cuda:0`, as parameters report it."""
    device = torch.device(name)
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' progress bars and notices out of the way while they work; errors still raise."""
    loggers = [
        logging.getLogger(name) for name in ("transformers", "diffusers", "accelerate", "huggingface_hub")
    ]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
