"""Builds a model of the true architecture with random numbers, straight on its device and in its dtype.

The model is made without parameters (they sit on torch's `meta` device, buffers are real), then each
parameter is created once where it belongs and filled. So there is never an fp32 copy: bloom-7b1 in bf16
needs 14 GB and not 28. Matrices get normal numbers of standard deviation 0.02, biases smaller ones, norms
and the scales of weight norms stay 1; a layer of which that would not do names their deviation as
`random_std`. Zeros or constants would flatter the model: a matrix product on zeros toggles fewer transistors
and runs faster and cooler.

    model = build(component, torch.bfloat16, "cuda:0", seed=0)
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from importlib import import_module
from typing import Any

import torch
import transformers
from accelerate import init_empty_weights
from torch import nn

from bench.engines.weights.architectures import Component
from bench.errors import EngineError

_STD = 0.02
_TABLES = ("embed",)
"""Buffers that a checkpoint fills with numbers it has learnt: the code book of an audio codec."""
_SCALES = ("original0", "weight_g")
"""A weight norm's length of each row: 1, so that a signal neither dies away nor grows from layer to layer."""
# A prime, so that repeats of the block never line up with the rows of a matrix.
_BLOCK = 1_048_583


def empty(component: Component, dtype: torch.dtype, attention: str | None = None) -> nn.Module:
    """The component with its parameters on the meta device, its buffers real, and its weights tied."""
    with warnings.catch_warnings(), init_empty_weights(include_buffers=False), _default_dtype(dtype):
        # The classes initialise their weights on construction; on meta tensors that does nothing.
        warnings.filterwarnings("ignore", message=".*for .*: copying from a non-meta parameter.*")
        model = _construct(component, dtype, attention)
    if isinstance(model, transformers.PreTrainedModel):
        # Parameters were replaced one by one on the way to meta, which parts those that share numbers.
        model.tie_weights()
    counted = sum(parameter.numel() for parameter in model.parameters())
    if counted != component.parameters:
        raise EngineError(
            f"{component.class_name} comes out with {counted} parameters, not {component.parameters}.",
            f"The installed {component.library} builds it differently; use the versions in the constraints.",
        )
    return model.eval().requires_grad_(False)


def shape_only(component: Component) -> nn.Module:
    """The component on the meta device, its buffers as well: nothing is allocated and nothing computed."""
    with torch.device("meta"):
        model = _construct(component, torch.float32, None)
        if isinstance(model, transformers.PreTrainedModel):
            model.tie_weights()
    return model.eval()


def count(component: Component) -> int:
    """Number of parameters of the component, tied ones once."""
    model = shape_only(component)
    return sum(parameter.numel() for parameter in model.parameters())


def build(
    component: Component,
    dtype: torch.dtype,
    device: str,
    seed: int,
    attention: str | None = None,
) -> nn.Module:
    """The component with random numbers on `device`."""
    model = empty(component, dtype, attention)
    fill(model, dtype, {"": device}, seed)
    return model


def fill(model: nn.Module, dtype: torch.dtype, device_map: Mapping[str, Any], seed: int) -> None:
    """Create every parameter of `model` on its device and give it random numbers; the same for one seed.

    Tied parameters stay tied. Buffers keep the numbers and dtype their module gave them.
    """
    kept = _kept_in_fp32(model, dtype)
    sources: dict[torch.device, _Numbers] = {}
    made: dict[int, nn.Parameter] = {}
    for path, module in model.named_modules():
        for name, old in module._parameters.items():
            if old is None:
                continue
            if id(old) not in made:
                full = f"{path}.{name}" if path else name
                device = torch.device(_device_of(full, device_map))
                if device not in sources:
                    sources[device] = _Numbers(device, seed)
                wanted = torch.float32 if any(part in full for part in kept) else dtype
                tensor = torch.empty(old.shape, dtype=wanted, device=device)
                _fill_one(tensor, name, sources[device], getattr(module, "random_std", _STD))
                made[id(old)] = nn.Parameter(tensor, requires_grad=False)
            # Not into `_parameters`: an LSTM keeps a list of its weights beside it.
            setattr(module, name, made[id(old)])
        for name, buffer in module._buffers.items():
            if buffer is None:
                continue
            # What a checkpoint would contain arrives in the model's dtype; computed buffers stay as they are.
            saved = buffer.is_floating_point() and name not in module._non_persistent_buffers_set
            place = _device_of(f"{path}.{name}", device_map)
            module._buffers[name] = buffer.to(place, dtype if saved else None)
            if saved and name in _TABLES:
                own = _Numbers(torch.device(place), seed)
                own.into(module._buffers[name], _STD)


class _Numbers:
    """Seeded normal numbers on one device: drawn there on CUDA, tiled from one drawn block on a CPU.

    One CPU thread draws 0.1 billion normal numbers a second but copies ten times as many, so a CPU model is
    filled from repeats of a block, each parameter starting at another place in it.
    """

    def __init__(self, device: torch.device, seed: int) -> None:
        self._generator = torch.Generator(device).manual_seed(seed)
        self._tiled = device.type == "cpu"
        self._blocks: dict[torch.dtype, torch.Tensor] = {}

    def into(self, tensor: torch.Tensor, std: float) -> None:
        if not self._tiled:
            tensor.normal_(0.0, std, generator=self._generator)
            return
        flat, block = tensor.view(-1), self._block(tensor.dtype)
        start = int(torch.randint(_BLOCK, (1,), generator=self._generator))
        window = block[start : start + _BLOCK]
        whole = flat.numel() // _BLOCK
        flat[: whole * _BLOCK].view(whole, _BLOCK).copy_(window)
        flat[whole * _BLOCK :].copy_(window[: flat.numel() - whole * _BLOCK])
        if std != _STD:
            tensor.mul_(std / _STD)

    def _block(self, dtype: torch.dtype) -> torch.Tensor:
        if dtype not in self._blocks:
            # Its own generator: the block must not depend on which dtype is met first.
            own = torch.Generator().manual_seed(self._generator.initial_seed())
            drawn = torch.empty(_BLOCK).normal_(0.0, _STD, generator=own).to(dtype)
            self._blocks[dtype] = torch.cat([drawn, drawn])
        return self._blocks[dtype]


def _fill_one(tensor: torch.Tensor, name: str, source: _Numbers, std: float) -> None:
    if name in _SCALES:
        tensor.fill_(1.0)
    elif tensor.dim() >= 2:
        source.into(tensor, std)
    elif "bias" in name:
        source.into(tensor, _STD / 10)
    else:
        tensor.fill_(1.0)


def _construct(component: Component, dtype: torch.dtype, attention: str | None) -> nn.Module:
    # Looked up by name: a text model has no use for diffusers, whose import takes seconds.
    model_class = getattr(import_module(component.library), component.class_name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of the library's own use of torch
        return _instance(model_class, component, dtype, attention)


def _instance(model_class: Any, component: Component, dtype: torch.dtype, attention: str | None) -> nn.Module:
    if component.library == "diffusers":
        image_model: nn.Module = model_class.from_config(dict(component.config))
        return image_model
    if component.library != "transformers":
        own_network: nn.Module = model_class(**component.config)
        return own_network
    # A copy: transformers before 5.20 takes words out of the parts that it is given.
    config = model_class.config_class(**deepcopy(dict(component.config)))
    chosen = {} if attention is None else {"attn_implementation": attention}
    text_model: nn.Module = model_class._from_config(config, dtype=dtype, **chosen)
    return text_model


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Settings of the libraries while constructing a model for loading, so that buffers come out alike."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _kept_in_fp32(model: nn.Module, dtype: torch.dtype) -> tuple[str, ...]:
    """Name parts of parameters that the libraries keep in fp32 under every dtype."""
    if dtype is torch.float32:
        return ()
    kept = set(getattr(model, "_keep_in_fp32_modules_strict", None) or ())
    relaxed = getattr(model, "_keep_in_fp32_modules", None) or ()
    # transformers upcasts these only where the range of fp16 would not do; diffusers always.
    if dtype is torch.float16 or not isinstance(model, transformers.PreTrainedModel):
        kept |= {relaxed} if isinstance(relaxed, str) else set(relaxed)
    return tuple(sorted(kept))


def _device_of(name: str, device_map: Mapping[str, Any]) -> Any:
    """The device of the longest entry of `device_map` that `name` is under."""
    under = [key for key in device_map if not key or name == key or name.startswith(f"{key}.")]
    return device_map[max(under, key=len)]
