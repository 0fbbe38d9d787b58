"""Options that images and video share: their size, and how a diffusion pipeline denoises.

A modality inherits `DiffusionOptions` and lists the flags of `bench run` that it takes over.
"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bench.core.modality import QUANTIZATION, Flag, Guidance, Keys, Steps, TorchOptions
from bench.core.words import counted

LEAST_PX, MOST_PX, MULTIPLE_PX = 8, 8192, 8
Pixels = Annotated[int, Field(ge=LEAST_PX, le=MOST_PX, multiple_of=MULTIPLE_PX)]


class DiffusionOptions(TorchOptions):
    """Options of denoising a picture or a film."""

    only_if_set: ClassVar[frozenset[str]] = TorchOptions.only_if_set | {
        "text_tokens",
        "channels_last",
        "compile_blocks",
        "fuse_qkv",
        "offload",
    }
    variants: ClassVar[Keys] = (
        *TorchOptions.variants,
        "compile_blocks",
        "channels_last",
        "fuse_qkv",
        "offload",
    )

    width: Pixels
    height: Pixels
    steps: Steps
    guidance: Guidance | None = None
    scheduler: str | None = None
    text_tokens: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Length that prompts are padded or cut to; `None` for the pipeline's own."""
    channels_last: bool = False
    compile_blocks: bool = False
    fuse_qkv: bool = False
    offload: Literal["model"] | None = None
    """`model`: networks are kept in the host's memory, each on the card only while it works."""

    @property
    def size(self) -> str:
        """`1024x1024 50 steps`."""
        return f"{self.width}x{self.height} {counted(self.steps, 'step')}"

    @property
    def largest_only(self) -> bool:
        """Whether the largest network alone has to fit on the device."""
        return self.offload is not None


def parse_size(text: str) -> dict[str, int]:
    """Width and height of `1024` or `1024x768`. Raises ValueError."""
    match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text.lower())
    if match is None:
        raise ValueError(f"{text!r} is not a size such as 1024 or 1024x768.")
    width, height = int(match[1]), int(match[2] or match[1])
    for side in (width, height):
        if not LEAST_PX <= side <= MOST_PX or side % MULTIPLE_PX:
            raise ValueError(f"{side} is not a multiple of {MULTIPLE_PX} from {LEAST_PX} to {MOST_PX}.")
    return {"width": width, "height": height}


FLAGS = (
    Flag("steps", "denoising steps."),
    Flag("size", "1024 or 1024x768.", "WxH", ("width", "height"), parse_size),
    Flag("guidance", "guidance scale."),
    Flag("scheduler", "a diffusers scheduler class."),
    QUANTIZATION,
    Flag("offload", "model: a network is on the card only while it works."),
)
