"""Brings one network to its device: of a class here or of the SAM family, or from an exported file.

loaded = load(spec, options)     # inside failures.translated("load", spec)
loaded.network(noise)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import transformers
from torch import nn

from bench.core.modalities.image import ImageOptions
from bench.engines.base import EngineSpec
from bench.engines.device import placed
from bench.engines.limits import compiling
from bench.engines.limits import image as limits
from bench.engines.picture import exported_files
from bench.engines.picture.segmenter import Segmenter
from bench.engines.weights import architectures, hub, random_weights

Takes = Literal["noise", "picture", "picture and style"]
LATENT = 512
"""Width of the noise for a file that does not state it: StyleGAN2's."""
_TASKS: dict[str, tuple[Takes, ...]] = {
    "noise": ("noise",),
    "style": ("picture", "picture and style"),
    "segment": ("picture",),
}


@dataclass(frozen=True)
class LoadedNetwork:
    """A network ready to be called with what it `takes`. `stages` are its parts that are phases."""

    network: Callable[..., torch.Tensor]
    module: nn.Module
    takes: Takes
    latent: int
    stages: dict[str, nn.Module]
    revision: str
    used: dict[str, Any]


def is_one_network(spec: EngineSpec, options: ImageOptions) -> bool:
    """Whether the weights are those of one network, and of no pipeline."""
    if spec.weights.kind != "random":
        return options.task == "segment" or Path(spec.weights.path or ".").is_file()
    shape = architectures.load(spec.weights.architecture or "")
    return shape.kind == "image" and shape.pipeline is None


def load(spec: EngineSpec, options: ImageOptions) -> LoadedNetwork:
    """Load what `spec` names. Raises EngineError for a file or an option that one network cannot use."""
    placed.require(spec.devices)
    limits.check_one_pass(spec.model, spec.devices, options)
    module, takes, latent, revision = _network(spec, options)
    masks = isinstance(module, Segmenter) or (spec.weights.kind == "path" and options.task == "segment")
    able = [task for task, kinds in _TASKS.items() if takes in kinds and masks == (task == "segment")]
    limits.check_task(spec.model, frozenset(able), options.task)
    compiling.check_mode(options, spec.devices)
    if options.channels_last:
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network: Any = torch.compile(module, mode=options.compile_mode) if options.compile else module
    # What is compiled is one graph, whose parts have no edges to stamp.
    stages = {} if options.compile else {name: getattr(module, name) for name in _stages(module)}
    return LoadedNetwork(network, module, takes, latent, stages, revision, _used(module, options))


def _network(spec: EngineSpec, options: ImageOptions) -> tuple[nn.Module, Takes, int, str]:
    """The network, what it takes, the width of its noise, and its revision."""
    if spec.weights.kind == "random":
        return _random(spec)
    if Path(spec.weights.path or ".").is_file():
        return _from_file(spec, options)
    module, revision = _published(spec)
    return module, "picture", LATENT, revision


def _stages(module: nn.Module) -> tuple[str, ...]:
    return tuple(getattr(module, "stages", ()))


def _random(spec: EngineSpec) -> tuple[nn.Module, Takes, int, str]:
    name = spec.weights.architecture or ""
    (component,) = architectures.load(name).components
    dtype: torch.dtype = getattr(torch, spec.dtype)
    module: Any = random_weights.build(component, dtype, spec.devices[0], spec.seed)
    module = Segmenter(module) if component.library == "transformers" else module
    return module, module.takes, getattr(module, "latent", LATENT), architectures.fingerprint(name)


def _published(spec: EngineSpec) -> tuple[nn.Module, str]:
    """A network of the SAM family from the hub or a folder."""
    found = hub.locate(spec, "network")
    with hub.downloading():
        sam: Any = transformers.SamModel.from_pretrained(
            found.name,
            dtype=getattr(torch, spec.dtype),
            use_safetensors=True,
            trust_remote_code=spec.trust_remote_code,
            **found.arguments,
        )
    return Segmenter(sam.to(spec.devices[0]).eval()), found.revision


def _from_file(spec: EngineSpec, options: ImageOptions) -> tuple[nn.Module, Takes, int, str]:
    found = exported_files.load(Path(spec.weights.path or ""), spec.devices[0], spec.dtype)
    takes: Takes = "noise" if options.task == "noise" else "picture"
    if options.task == "style" and found.inputs == 2:
        takes = "picture and style"
    return found.module, takes, found.width or LATENT, found.fingerprint


def _used(module: nn.Module, options: ImageOptions) -> dict[str, Any]:
    used: dict[str, Any] = {
        "network_class": type(module).__name__,
        "task": options.task,
        "steps": 1,
        "width": options.width,
        "height": options.height,
        "compile": "network" if options.compile else None,
        "float32_matmul": placed.float32_matmul(),
        "cpu_threads": torch.get_num_threads(),
    }
    if options.compile_mode is not None:
        used["compile_mode"] = options.compile_mode
    if options.channels_last:
        used["channels_last"] = [type(module).__name__]
    return used
