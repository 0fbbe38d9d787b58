"""Style transfer from a style picture in one pass: adaptive instance normalisation (Huang and Belongie 2017).

The first layers of VGG-19 (Simonyan and Zisserman 2015, to relu4_1) look at picture and style. The picture's
features get the style's mean and deviation, channel by channel, and a decoder, the encoder's mirror, paints.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from bench.engines.picture.networks.convolution import convolution

PLAN = (1, 1, "half", 2, 2, "half", 4, 4, 4, 4, "half", 8)
"""Convolutions to relu4_1, as multiples of the first one's channels, and where the sides are halved."""


class AdaptiveStyle(nn.Module):
    """Pictures and styles to pictures. `width` are the channels of VGG's first layer."""

    takes: ClassVar[str] = "picture and style"
    stages: ClassVar[tuple[str, ...]] = ("encoder", "decoder")

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.encoder = _encoder(width)
        self.decoder = _decoder(width)

    def forward(self, pictures: Tensor, styles: Tensor) -> Tensor:
        """Pictures repainted in the styles."""
        content, style = self.encoder(pictures), self.encoder(styles)
        made: Tensor = self.decoder(_renormalised(content, style))
        return made.clamp(0, 1)


def _renormalised(content: Tensor, style: Tensor) -> Tensor:
    """The features of `content` with mean and deviation of `style`'s."""
    places = (2, 3)
    mean, deviation = content.mean(places, keepdim=True), content.std(places, keepdim=True) + 1e-5
    return (content - mean) / deviation * style.std(places, keepdim=True) + style.mean(places, keepdim=True)


def _encoder(width: int) -> nn.Sequential:
    layers: list[nn.Module] = [convolution(3, 3, 1)]  # the published weights normalise the colours by it
    channels = 3
    for step in PLAN:
        if isinstance(step, int):
            layers += [convolution(channels, step * width, 3), nn.ReLU()]
            channels = step * width
        else:
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
    return nn.Sequential(*layers)


def _decoder(width: int) -> nn.Sequential:
    """The encoder backwards, nearest neighbours in place of pooling, and no ReLU at the end."""
    layers: list[nn.Module] = []
    steps = PLAN[::-1]
    for at, step in enumerate(steps):
        if not isinstance(step, int):
            layers.append(nn.Upsample(scale_factor=2, mode="nearest"))
            continue
        after = next((later for later in steps[at + 1 :] if isinstance(later, int)), None)
        layers.append(convolution(step * width, 3 if after is None else after * width, 3))
        layers += [] if after is None else [nn.ReLU()]
    return nn.Sequential(*layers)
