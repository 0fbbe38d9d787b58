"""A style picture for a text-to-image pipeline: IP-Adapter, whose numbers are put into its UNet.

    is_adapted(spec.weights)             # whether the model has an adapter
    require(spec, options)               # EngineError before anything is loaded
    facts = add_to(pipe, spec)           # inside failures.translated("load", spec)

An image encoder (CLIP) sees the style picture once a batch, and each cross-attention of the UNet looks at
what it found beside the text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

from bench.core.modalities.image import ImageOptions
from bench.core.weights import Weights
from bench.engines.base import EngineSpec
from bench.engines.limits import image as limits
from bench.engines.weights import architectures, hub, random_weights
from bench.engines.weights.weight_files import no_safetensors
from bench.errors import EngineError

NAME, ENCODER = limits.ADAPTER, "image_encoder"
"""Names of the two networks among a model's components, and of their folders in a local copy."""


def is_adapted(weights: Weights) -> bool:
    """Whether these weights have an adapter beside a pipeline."""
    match weights.kind:
        case "random":
            return NAME in architectures.load(weights.architecture or "").parameters
        case "path":
            return Path(weights.path or "", NAME).is_dir()
    return NAME in weights.components


def require(spec: EngineSpec, options: ImageOptions) -> None:
    """Raise EngineError for a style picture without an adapter, or an adapter that cannot be in force."""
    adapted = is_adapted(spec.weights)
    if options.style_picture is not None:
        limits.check_style(spec.model, options.style_picture, takes_style=adapted)
    if adapted:
        limits.check_adapter(spec.model, spec.devices, options)


def add_to(pipe: Any, spec: EngineSpec) -> dict[str, Any]:
    """Put the adapter into the pipeline's UNet; its entries of the record, read back from there."""
    if spec.weights.kind == "random":
        pipe.load_ip_adapter(_random(spec, str(pipe.unet.device)), subfolder="", weight_name="")
    else:
        _load(pipe, spec)
    scales = {
        tuple(processor.scale)
        for processor in pipe.unet.attn_processors.values()
        if hasattr(processor, "to_k_ip")
    }
    return {
        "adapter": "IP-Adapter",
        "adapter_scale": sorted(scale for found in scales for scale in found),
        "image_encoder_class": type(pipe.image_encoder).__name__,
    }


def _random(spec: EngineSpec, device: str) -> dict[str, dict[str, torch.Tensor]]:
    shape = architectures.load(spec.weights.architecture or "")
    component = next(part for part in shape.components if part.name == NAME)
    seed = spec.seed + len(shape.components)  # the components of the pipeline have the seeds before it
    numbers: Any = random_weights.build(component, getattr(torch, spec.dtype), device, seed)
    found: dict[str, dict[str, torch.Tensor]] = numbers.parts()
    return found


def _load(pipe: Any, spec: EngineSpec) -> None:
    """The published adapter, and its image encoder where the pipeline has none."""
    found = hub.locate_component(spec, NAME, "adapter")
    with hub.downloading():
        if getattr(pipe, ENCODER, None) is None:
            of_encoder = hub.locate_component(spec, ENCODER)
            encoder: Any = transformers.CLIPVisionModelWithProjection.from_pretrained(
                of_encoder.name,
                dtype=getattr(torch, spec.dtype),
                use_safetensors=True,
                **of_encoder.arguments,
            )
            pipe.register_modules(image_encoder=encoder.eval().to(pipe.unet.device))
        arguments = {"subfolder": "", **found.arguments}
        pipe.load_ip_adapter(found.name, weight_name=_file(spec), image_encoder_folder=None, **arguments)


def _file(spec: EngineSpec) -> str:
    """Name of the adapter's file. Raises EngineError where a local copy has several."""
    if spec.weights.kind == "hub":
        file = spec.weights.components[NAME].file or ""
        if not file.endswith(".safetensors"):
            raise no_safetensors(f"{spec.model}: its adapter {file!r}")
        return file
    folder = Path(spec.weights.path or "", NAME)
    files = sorted(path.name for path in folder.glob("*.safetensors"))
    if len(files) != 1:
        raise EngineError(f"{folder} has {len(files)} .safetensors files.", "Put one adapter there.")
    return files[0]
