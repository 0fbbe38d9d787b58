"""Video, counted in seconds of film at the frame rate of the case; every item is a clip."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from bench.core.diffusion import FLAGS, DiffusionOptions
from bench.core.modality import CountedOutput, Flag, Keys, Modality, UnitCount

CHANNELS, FLOAT32_BYTES = 3, 4
COPIES = 2
"""Of a finished film on the device: as the VAE decoded it, and scaled from 0 to 1 for the host."""
MOST_FRAMES = 100_000


class VideoOptions(DiffusionOptions):
    """Options of a clip. `fps` is the rate at which it is played: it makes frames seconds."""

    only_if_set: ClassVar[frozenset[str]] = DiffusionOptions.only_if_set | {"vae_tiling"}
    variants: ClassVar[Keys] = (*DiffusionOptions.variants, "vae_tiling")

    frames: Annotated[int, Field(ge=1, le=MOST_FRAMES)]
    fps: Annotated[float, Field(gt=0, le=240)]
    vae_tiling: bool = False
    """Frames are decoded tile by tile, which takes less memory and more work."""

    @property
    def size(self) -> str:
        """`81 frames 832x480 50 steps`."""
        return f"{self.frames} frames {super().size}"

    def output_bytes(self, batch: int) -> int:
        """Finished frames alone; the latents and activations of the networks come on top."""
        return batch * self.frames * self.width * self.height * CHANNELS * FLOAT32_BYTES * COPIES


def count(output: CountedOutput) -> UnitCount:
    """Seconds of film, as the engine counted them."""
    return UnitCount(output.seconds)


MODALITY = Modality(
    name="video",
    order=5,
    unit="video_second",
    plural="seconds of video",
    options=VideoOptions,
    count=count,
    prompts="videos.yaml",
    packages=("torch", "diffusers", "transformers", "accelerate", "PIL"),
    flags=(
        *FLAGS,
        Flag("frames", "frames of a clip."),
        Flag("fps", "frames a second at which it is played."),
        Flag("vae_tiling", "decode frames tile by tile."),
    ),
    defaults=frozenset({"compile"}),
)
