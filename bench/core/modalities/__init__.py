"""Modalities, each a file of this folder that defines `MODALITY`; nothing else lists them.

modalities.get("text").unit                      # "page"
modalities.of_unit("image").options              # ImageOptions
modalities.of_options(TextOptions(new_tokens=4)) # the modality of these options
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from bench.core.modality import Modality, Options


@cache
def all_modalities() -> tuple[Modality, ...]:
    """Every modality of this folder, in the order of lists."""
    modules = (importlib.import_module(f"{__name__}.{file.name}") for file in pkgutil.iter_modules(__path__))
    found: list[Modality] = [module.MODALITY for module in modules]
    return tuple(sorted(found, key=lambda modality: (modality.order, modality.name)))


def names() -> tuple[str, ...]:
    """`text`, `image`, and what else there is."""
    return tuple(modality.name for modality in all_modalities())


def units() -> tuple[str, ...]:
    """`page`, `image`, and what else there is."""
    return tuple(modality.unit for modality in all_modalities())


def get(name: str) -> Modality:
    """The modality of this name. Raises KeyError."""
    return {modality.name: modality for modality in all_modalities()}[name]


def of_unit(unit: str) -> Modality:
    """The modality that is counted in this unit. Raises KeyError."""
    return {modality.unit: modality for modality in all_modalities()}[unit]


def of_options(options: Options) -> Modality:
    """The modality that these options belong to. Raises KeyError."""
    return {modality.options: modality for modality in all_modalities()}[type(options)]
