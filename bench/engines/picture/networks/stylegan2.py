"""The generator of StyleGAN2 (Karras et al. 2020, configuration F): a latent to an image in one pass.

A mapping network of 8 layers makes styles of the latent. The synthesis network starts from a learned 4x4
input and doubles its sides block by block; each block has two modulated convolutions (one in the first) and
adds its colours to those of the block before. Here are the layer sizes and the arithmetic, without the
original's own CUDA kernels: bias, activation and the blur after each doubling are plain PyTorch.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
import torch.nn.functional as F  # noqa: N812 - as torch's users write it
from torch import Tensor, nn

LEAST = 4
GAIN = math.sqrt(2)
"""Of the leaky ReLU, so that its output keeps the variance."""
BLUR = (1.0, 3.0, 3.0, 1.0)


class StyleGan2Generator(nn.Module):
    """The whole generator. A layer has `channels_base` over its side as channels, `channels_most` at most."""

    takes: ClassVar[str] = "noise"
    stages: ClassVar[tuple[str, ...]] = ("mapping", "synthesis")

    def __init__(
        self,
        side: int,
        latent: int = 512,
        mapping_layers: int = 8,
        channels_base: int = 32768,
        channels_most: int = 512,
    ) -> None:
        super().__init__()
        self.side = side
        self.latent = latent
        self.mapping = MappingNetwork(latent, mapping_layers)
        self.synthesis = SynthesisNetwork(side, latent, channels_base, channels_most)

    def forward(self, noise: Tensor) -> Tensor:
        """Images of latents of shape (items, latent)."""
        images: Tensor = self.synthesis(self.mapping(noise))
        return (images.clamp(-1, 1) + 1) / 2


class MappingNetwork(nn.Module):
    """Fully connected layers that learn a hundred times slower, which their numbers are scaled by."""

    RATE = 0.01

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Dense(width, width, rate=self.RATE) for _ in range(layers))

    def forward(self, noise: Tensor) -> Tensor:
        """Styles of latents."""
        styles = noise * torch.rsqrt(noise.square().mean(dim=1, keepdim=True) + 1e-8)
        for layer in self.layers:
            styles = F.leaky_relu(layer(styles), 0.2) * GAIN
        return styles


class Dense(nn.Module):
    """A fully connected layer, its numbers scaled at run time by fan-in and learning rate."""

    def __init__(self, inputs: int, outputs: int, rate: float = 1.0) -> None:
        super().__init__()
        self.random_std = 1 / rate
        self.weight = nn.Parameter(torch.randn(outputs, inputs) * self.random_std)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.rate, self.gain = rate, rate / math.sqrt(inputs)

    def forward(self, given: Tensor) -> Tensor:
        """The product with its bias."""
        return F.linear(given, self.weight * self.gain, self.bias * self.rate)


class SynthesisNetwork(nn.Module):
    """Blocks from 4x4 pixels to the whole side."""

    random_std: ClassVar[float] = 1.0

    def __init__(self, side: int, latent: int, base: int, most: int) -> None:
        super().__init__()
        count = int(math.log2(side)) - 1
        if side != LEAST * 2 ** (count - 1) or count < 1:
            raise ValueError(f"a side of {side} is not a power of two from {LEAST}")
        widths = [min(base // (LEAST * 2**i), most) for i in range(count)]
        self.start = nn.Parameter(torch.randn(widths[0], LEAST, LEAST))
        self.blocks = nn.ModuleList(
            StyleBlock(widths[max(0, i - 1)], widths[i], latent, LEAST * 2**i, first=i == 0)
            for i in range(count)
        )

    def forward(self, styles: Tensor) -> Tensor:
        """Images, about from -1 to 1."""
        given = self.start.to(styles.dtype).expand(len(styles), -1, -1, -1)
        colours: Tensor | None = None
        for block in self.blocks:
            given, colours = block(given, colours, styles)
        assert colours is not None, "there is a block at least"
        return colours


class StyleBlock(nn.Module):
    """One resolution: convolutions, and the colours that they add to the image so far."""

    def __init__(self, inputs: int, outputs: int, latent: int, side: int, *, first: bool) -> None:
        super().__init__()
        doubling = [] if first else [Modulated(inputs, outputs, latent, side, up=True)]
        self.convolutions = nn.ModuleList([*doubling, Modulated(outputs, outputs, latent, side)])
        self.colour = ToRgb(outputs, latent)

    def forward(self, given: Tensor, colours: Tensor | None, styles: Tensor) -> tuple[Tensor, Tensor]:
        """Features and image of this resolution."""
        for convolution in self.convolutions:
            given = convolution(given, styles)
        added = self.colour(given, styles)
        return given, added if colours is None else doubled(colours) + added


class Modulated(nn.Module):
    """A 3x3 convolution whose kernels are scaled by the style and brought back to unit variance."""

    noise: Tensor
    random_std: ClassVar[float] = 1.0

    def __init__(self, inputs: int, outputs: int, latent: int, side: int, *, up: bool = False) -> None:
        super().__init__()
        self.up = up
        self.style = Dense(latent, inputs)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.noise_strength = nn.Parameter(torch.zeros([]))
        self.bias = nn.Parameter(torch.zeros(outputs))
        # The published network keeps one picture of noise a layer; this one is the same in every process.
        wave = torch.sin(torch.arange(side * side, dtype=torch.float32) * 12.9898) * 43758.5453
        flat = (wave - wave.floor() - 0.5) * math.sqrt(12)
        self.register_buffer("noise", flat.reshape(side, side))

    def forward(self, given: Tensor, styles: Tensor) -> Tensor:
        """Features of the next layer."""
        kernels = self.weight[None] * self.style(styles)[:, None, :, None, None]
        kernels = kernels * torch.rsqrt(kernels.float().square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).to(
            kernels.dtype
        )
        features = _each_its_own(given, kernels, up=self.up) + self.noise * self.noise_strength
        return F.leaky_relu(features + self.bias[:, None, None], 0.2) * GAIN


class ToRgb(nn.Module):
    """Features to three colours by a modulated 1x1 convolution."""

    random_std: ClassVar[float] = 1.0

    def __init__(self, inputs: int, latent: int) -> None:
        super().__init__()
        self.style = Dense(latent, inputs)
        self.weight = nn.Parameter(torch.randn(3, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.gain = 1 / math.sqrt(inputs)

    def forward(self, given: Tensor, styles: Tensor) -> Tensor:
        """The colours that this resolution adds."""
        kernels = self.weight[None] * (self.style(styles) * self.gain)[:, None, :, None, None]
        return _each_its_own(given, kernels) + self.bias[:, None, None]


def _each_its_own(given: Tensor, kernels: Tensor, *, up: bool = False) -> Tensor:
    """A convolution of each item with kernels of its own, as groups of one convolution."""
    items, outputs, inputs, *size = kernels.shape
    together = given.reshape(1, items * inputs, *given.shape[2:])
    if not up:
        flat = kernels.reshape(items * outputs, inputs, *size)
        made = F.conv2d(together, flat, padding=size[0] // 2, groups=items)
        return made.reshape(items, outputs, *made.shape[2:])
    flat = kernels.transpose(1, 2).reshape(items * inputs, outputs, *size)
    made = F.conv_transpose2d(together, flat, stride=2, groups=items)
    # 2n+1 pixels, blurred to 2n.
    return _blurred(made.reshape(items, outputs, *made.shape[2:]), padding=(1, 1, 1, 1), gain=4)


def doubled(images: Tensor) -> Tensor:
    """Images of twice the side: zeros between the pixels, then the blur."""
    items, channels, height, width = images.shape
    apart = images.new_zeros(items, channels, height, 2, width, 2)
    apart[:, :, :, 0, :, 0] = images
    return _blurred(apart.reshape(items, channels, 2 * height, 2 * width), padding=(2, 1, 2, 1), gain=4)


def _blurred(images: Tensor, padding: tuple[int, int, int, int], gain: float) -> Tensor:
    """Filtered by the outer product of `BLUR`, channel by channel."""
    row = torch.tensor(BLUR, dtype=images.dtype, device=images.device)
    kernel = torch.outer(row, row)
    kernel = kernel / kernel.sum() * gain
    channels = images.shape[1]
    return F.conv2d(F.pad(images, padding), kernel.expand(channels, 1, 4, 4), groups=channels)
