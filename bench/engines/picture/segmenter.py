"""A mask of the object in the middle of a picture, by a network of the SAM family (transformers).

Part of an edit: what an inpainting model gets as its mask. The picture goes through the image encoder once,
its middle is the prompt, and the mask decoder's first answer, brought to the picture's size, is the mask.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F  # noqa: N812 - as torch's users write it
from torch import Tensor, nn

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours, which the published networks expect taken out."""


class Segmenter(nn.Module):
    """A SAM network that takes pictures from 0 to 1 and returns masks as pictures, black and white."""

    takes: ClassVar[str] = "picture"
    stages: ClassVar[tuple[str, ...]] = ("encoder", "decoder")

    def __init__(self, sam: Any) -> None:
        super().__init__()
        self.sam = sam
        self.side = int(sam.config.vision_config.image_size)

    @property
    def encoder(self) -> nn.Module:
        """The network that looks at the picture."""
        found: nn.Module = self.sam.vision_encoder
        return found

    @property
    def decoder(self) -> nn.Module:
        """The network that draws the mask."""
        found: nn.Module = self.sam.mask_decoder
        return found

    def forward(self, pictures: Tensor) -> Tensor:
        """Masks of pictures of shape (items, 3, height, width); NaN stays NaN."""
        mean, deviation = (pictures.new_tensor(each)[:, None, None] for each in (MEAN, DEVIATION))
        square = F.interpolate(pictures, (self.side, self.side), mode="bilinear", antialias=True)
        middle = pictures.new_full((len(pictures), 1, 1, 2), self.side / 2)
        seen = self.sam(pixel_values=(square - mean) / deviation, input_points=middle, multimask_output=False)
        size = (pictures.shape[2], pictures.shape[3])
        scores = F.interpolate(seen.pred_masks[:, 0], size, mode="bilinear")
        masks = torch.where(torch.isnan(scores), scores, (scores > 0).to(scores.dtype))
        return masks.expand(-1, 3, -1, -1)
