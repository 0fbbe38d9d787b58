"""Other ways for a pipeline to do the same work: memory format, fused projections, compiling, kernels.

Each changes joules and not the picture (but for rounding), is asked for by name, and is read back from the
networks after it was set. One that a pipeline cannot take is refused; it is never left out without a word.

    used = arrange(pipe, denoiser, options, ("cuda:0",))     # {"channels_last": ["unet", "vae"], ...}
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils._pytree import tree_map_only

from bench.core.diffusion import DiffusionOptions
from bench.engines.device import kernels
from bench.engines.limits import compiling
from bench.engines.limits.refused import refused
from bench.errors import EngineError


def arrange(pipe: Any, denoiser: Any, options: DiffusionOptions, devices: Sequence[str]) -> dict[str, Any]:
    """Put the variants asked for into force; returns what is then in force, by name, and nothing else.

    Raises EngineError for one that this pipeline cannot take.
    """
    compiling.check_mode(options, devices)
    used: dict[str, Any] = {}
    if options.fuse_qkv:
        used["fuse_qkv"] = _fuse(denoiser)
    if options.channels_last:
        used["channels_last"] = _channels_last(pipe)
    if options.compile_blocks:
        used |= {"compile": "blocks", "compile_blocks": _compile_blocks(denoiser, options)}
    elif options.compile:
        # Only `forward`: the hooks that stamp the phases stay outside the compiled graph.
        compiled = torch.compile(denoiser.forward, mode=options.compile_mode)
        denoiser.forward = _kept(compiled) if compiling.has_graphs(options.compile_mode) else compiled
    if options.compile_mode is not None:
        used["compile_mode"] = options.compile_mode
    if options.sdpa_kernel is not None:
        used["sdpa_kernel"] = kernels.enabled(options.sdpa_kernel)
        denoiser.forward = _with_kernel(denoiser.forward, options.sdpa_kernel)
    return used


def _fuse(denoiser: Any) -> int:
    """Query, key and value by one product each; how many attention layers do so."""
    try:
        denoiser.fuse_qkv_projections()
    except (AttributeError, ValueError) as error:
        raise _refusal(denoiser, "fuse_qkv") from error
    fused = sum(bool(getattr(module, "fused_projections", False)) for module in denoiser.modules())
    if not fused:
        raise _refusal(denoiser, "fuse_qkv")
    return fused


def _channels_last(pipe: Any) -> list[str]:
    """Convolutions with the channels innermost; which of the networks have any."""
    changed = []
    for name in ("unet", "transformer", "vae"):
        network = getattr(pipe, name, None)
        if network is not None:
            network.to(memory_format=torch.channels_last)
            if any(_is_channels_last(parameter) for parameter in network.parameters()):
                changed.append(name)
    if not changed:
        raise _refusal(pipe, "channels_last")
    return changed


def _is_channels_last(parameter: torch.Tensor) -> bool:
    """Whether channels are the innermost dimension; False also with a dimension of 1: undecidable."""
    apart = parameter.dim() == 4 and min(parameter.shape[1:]) > 1
    return apart and parameter.is_contiguous(memory_format=torch.channels_last)


def _compile_blocks(denoiser: Any, options: DiffusionOptions) -> list[str]:
    """Compile the repeated blocks one by one; their classes."""
    compiling.check_blocks(options, compile_blocks=True)
    classes = getattr(denoiser, "_repeated_blocks", None)
    if not classes:
        raise _refusal(denoiser, "compile_blocks")
    denoiser.compile_repeated_blocks(mode=options.compile_mode)
    return sorted(classes)


def _kept(compiled: Callable[..., Any]) -> Callable[..., Any]:
    """A graph writes each result into the same memory, and a scheduler looks back: hand copies on."""

    def forward(*args: Any, **kwargs: Any) -> Any:
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        return tree_map_only(torch.Tensor, torch.clone, compiled(*args, **kwargs))

    return forward


def _with_kernel(forward: Callable[..., Any], kernel: str) -> Callable[..., Any]:
    """The denoiser alone: text encoders need masks and the VAE wide heads, which few kernels can do."""

    def chosen(*args: Any, **kwargs: Any) -> Any:
        with kernels.only(kernel):
            return forward(*args, **kwargs)

    return chosen


def _refusal(network: Any, variant: str) -> EngineError:
    return refused(
        f"{type(network).__name__} has nothing that {variant} could change.", f"Leave out {variant}."
    )
