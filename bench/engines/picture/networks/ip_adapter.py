"""The numbers that IP-Adapter (Ye et al. 2023) adds to a UNet, named as in its published files.

A picture's embedding becomes a few tokens beside those of the text (`image_proj`), and each cross-attention
gets a second pair of key and value for them (`ip_adapter`). diffusers puts these numbers into a UNet; this
module computes nothing. Odd numbers name the layers: the even ones are the self-attentions between them.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class IpAdapterNumbers(nn.Module):
    """An adapter for a UNet whose cross-attentions take texts of `text_width`.

    `layers` has the cross-attentions in diffusers' order (down, up, middle) as pairs of number and width.
    """

    def __init__(
        self, picture_width: int, text_width: int, layers: Sequence[tuple[int, int]], tokens: int = 4
    ) -> None:
        super().__init__()
        self.image_proj = nn.ModuleDict(
            {"proj": nn.Linear(picture_width, tokens * text_width), "norm": nn.LayerNorm(text_width)}
        )
        widths = [width for number, width in layers for _ in range(number)]
        self.ip_adapter = nn.ModuleDict(
            {
                str(2 * i + 1): nn.ModuleDict(
                    {name: nn.Linear(text_width, width, bias=False) for name in ("to_k_ip", "to_v_ip")}
                )
                for i, width in enumerate(widths)
            }
        )

    def parts(self) -> dict[str, dict[str, Tensor]]:
        """The numbers in the two groups that `load_ip_adapter` of diffusers takes."""
        return {name: getattr(self, name).state_dict() for name in ("image_proj", "ip_adapter")}
