"""Networks of published layer sizes that no library here has: one pass from noise or pictures to pictures.

A network's `takes` is what its `forward` is given, `stages` are the parts of it that are phases. What it
returns are pictures of shape (items, 3, height, width), from 0 to 1. `IpAdapterNumbers` has neither: its
numbers are put into a UNet of diffusers.
"""

from bench.engines.picture.networks.adain import AdaptiveStyle
from bench.engines.picture.networks.ip_adapter import IpAdapterNumbers
from bench.engines.picture.networks.stylegan2 import StyleGan2Generator
from bench.engines.picture.networks.transformation import TransformationNetwork

__all__ = ["AdaptiveStyle", "IpAdapterNumbers", "StyleGan2Generator", "TransformationNetwork"]
