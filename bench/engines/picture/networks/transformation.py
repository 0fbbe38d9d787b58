"""The feed-forward network of Johnson, Alahi and Fei-Fei (2016): a picture repainted in one learned style.

Three convolutions halve the sides twice, five residual blocks work at a quarter of them, and three bring the
picture back. With the instance norms that its users took over from Ulyanov et al. (2016). One network was
trained for each style, so the style is in the weights and no style picture goes in.
"""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F  # noqa: N812 - as torch's users write it
from torch import Tensor, nn

from bench.engines.picture.networks.convolution import convolution

WHITE = 255


class TransformationNetwork(nn.Module):
    """Pictures to pictures of the same size. `width` are the channels of the first layer."""

    takes: ClassVar[str] = "picture"
    stages: ClassVar[tuple[str, ...]] = ()

    def __init__(self, width: int = 32, blocks: int = 5) -> None:
        super().__init__()
        self.down = nn.Sequential(
            _Layer(3, width, 9), _Layer(width, 2 * width, 3, 2), _Layer(2 * width, 4 * width, 3, 2)
        )
        self.residual = nn.Sequential(*(_Residual(4 * width) for _ in range(blocks)))
        self.up = nn.Sequential(
            _Layer(4 * width, 2 * width, 3, up=True), _Layer(2 * width, width, 3, up=True)
        )
        self.out = convolution(width, 3, 9)

    def forward(self, pictures: Tensor) -> Tensor:
        """Repainted pictures. The network takes values from 0 to 255, and ends in a scaled tanh."""
        features = self.up(self.residual(self.down(pictures * WHITE)))
        made: Tensor = self.out(features)
        return (torch.tanh(made) + 1) / 2


class _Layer(nn.Module):
    """Convolution, instance norm and ReLU; `up` doubles the sides first."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1, *, up: bool = False) -> None:
        super().__init__()
        self.up = up
        self.convolution = convolution(inputs, outputs, size, stride)
        self.norm = nn.InstanceNorm2d(outputs, affine=True)

    def forward(self, given: Tensor) -> Tensor:
        given = F.interpolate(given, scale_factor=2.0, mode="nearest") if self.up else given
        return F.relu(self.norm(self.convolution(given)))


class _Residual(nn.Module):
    """Two 3x3 convolutions whose result is added to what went in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one = _Layer(width, width, 3)
        self.two = convolution(width, width, 3)
        self.norm = nn.InstanceNorm2d(width, affine=True)

    def forward(self, given: Tensor) -> Tensor:
        added: Tensor = self.norm(self.two(self.one(given)))
        return given + added
