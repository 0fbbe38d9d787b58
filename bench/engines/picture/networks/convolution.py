"""The convolution that the feed-forward networks of pictures share."""

from __future__ import annotations

import math

from torch import nn


def convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Conv2d:
    """A convolution that mirrors the picture at its edges and keeps its size but for `stride`.

    Random numbers are as large as keeps the variance through ReLUs (He et al. 2015): with smaller ones, deep
    networks without norms would work on zeros, which takes less power.
    """
    layer = nn.Conv2d(inputs, outputs, size, stride, size // 2, padding_mode="reflect")
    layer.random_std = math.sqrt(2 / (inputs * size * size))  # type: ignore[assignment]
    return layer
