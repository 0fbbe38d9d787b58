"""Memory of image models: a picture's VAE decodes all of a batch."""

from __future__ import annotations

from bench.core.modalities.image import ImageOptions
from bench.core.modality import Options
from bench.engines.memory import BatchMemory
from bench.engines.weights.architectures import Architecture

MAPS_AT_ONCE = 2
"""A normalisation at full size keeps what it reads and what it writes."""


def memory_of(options: Options, shape: Architecture, batch: int, number_bytes: int) -> BatchMemory:
    """The VAE's last maps, in the full size of the picture."""
    assert isinstance(options, ImageOptions), "chosen by the type of the options"
    vae = next((part for part in shape.components if part.name == "vae"), None)
    if vae is None or vae.class_name != "AutoencoderKL":
        return BatchMemory()
    numbers = options.width * options.height * int(vae.config["block_out_channels"][0])
    return BatchMemory(activation_bytes=batch * number_bytes * numbers * MAPS_AT_ONCE)
