"""Finished pictures on the host: their bytes, what can be wrong with them, and their files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from bench.core.modalities.image import ImageOptions
from bench.engines.base import EngineSpec

BLACK = 8
"""Brightest value, of 255, of a picture or frame that counts as black."""


@dataclass(frozen=True)
class Pictures:
    """Output of `generate` for `inspect`.

    `pixels` is uint8 of shape (items, height, width, 3). `finite` is, for each item, whether the network's
    output was free of NaN and infinity, which 8-bit pixels no longer show. `calls` counts forward passes of
    the denoiser over the batch.
    """

    pixels: npt.NDArray[np.uint8]
    finite: tuple[bool, ...]
    calls: int


def as_bytes(images: Any) -> npt.NDArray[np.uint8]:
    """Pixels from 0 to 255 on the host, the channels last, of a network's numbers from 0 to 1."""
    if isinstance(images, np.ndarray):  # a pipeline without tensors as output: on the host already
        return np.clip(np.round(images * 255), 0, 255).astype(np.uint8)
    pixels = (images * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
    on_host: npt.NDArray[np.uint8] = pixels.contiguous().cpu().numpy()
    return on_host


def problems(
    made: Pictures, items: int, options: ImageOptions, spec: EngineSpec, least_calls: int = 1
) -> Iterator[str]:
    """Sentences about invalid pixels, and steps that were not done."""
    wanted = (items, options.height, options.width, 3)
    if made.pixels.shape != wanted:
        yield f"The pixels have shape {made.pixels.shape}, {wanted} was asked for."
    if made.calls < least_calls:
        yield f"The denoiser ran {made.calls} times, {least_calls} were asked for."
    for i, item in enumerate(made.pixels):
        if not made.finite[i]:
            yield f"Item {i}: the picture contains NaN or infinity."
        elif spec.weights.kind != "random" and item.size and item.max() <= BLACK:
            yield f"Item {i} is black."
        elif spec.weights.kind != "random" and bool((item == item[0, 0]).all()):
            yield f"Item {i} is of one colour all over."


def save(made: Pictures, folder: Path, stem: str) -> list[Path]:
    """Write each picture as `<stem>-<i>.png`."""
    paths = []
    for i, item in enumerate(made.pixels):
        paths.append(folder / f"{stem}-{i}.png")
        Image.fromarray(item).save(paths[-1])
    return paths
