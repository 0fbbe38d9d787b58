"""Modalities, each a file of this folder that defines `MODALITY`, or an entry point of another package.

modalities.get("text").unit                      # "page"
modalities.of_unit("image")[0].options           # ImageOptions
modalities.of_options(TextOptions(new_tokens=4)) # the modality of these options

A package adds one with an entry point of the group `joulebench.modalities` that names its `MODALITY`; the
engine is an entry point of the same name in `joulebench.engines`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Literal

from bench.core.modality import Modality, Options
from bench.errors import PrerequisiteError

GROUP = "joulebench.modalities"
ENGINES = "joulebench.engines"


@cache
def all_modalities() -> tuple[Modality, ...]:
    """Every modality, in the order of lists. Raises PrerequisiteError for one of a package that is broken."""
    modules = (importlib.import_module(f"{__name__}.{file.name}") for file in pkgutil.iter_modules(__path__))
    own: list[Modality] = [module.MODALITY for module in modules]
    taken = {modality.name for modality in own}
    _refuse_second_engines(taken)
    for point, modality in _added():
        if modality.name in taken:
            raise _broken("modality", point, f"there is a modality {modality.name} already")
        taken.add(modality.name)
        own.append(modality)
    return tuple(sorted(own, key=lambda modality: (modality.order, modality.name)))


def _added() -> Iterator[tuple[EntryPoint, Modality]]:
    """The modalities of installed packages, each with its entry point."""
    for point in sorted(entry_points(group=GROUP)):
        try:
            modality = point.load()
        except Exception as error:
            raise _broken("modality", point, f"{type(error).__name__}: {error}") from error
        if not isinstance(modality, Modality):
            raise _broken("modality", point, f"{point.value} is a {type(modality).__name__}, not a Modality")
        if modality.name != point.name:
            raise _broken(
                "modality", point, f"the modality is named {modality.name}, and its entry point {point.name}"
            )
        yield point, modality


def _refuse_second_engines(own: Collection[str]) -> None:
    """Refuse an added engine of a name that another has: it would make the output in its place, unseen."""
    taken = set(own)
    for point in sorted(entry_points(group=ENGINES)):
        if point.name in taken:
            raise _broken("engine", point, f"there is an engine {point.name} already")
        taken.add(point.name)


def _broken(what: Literal["modality", "engine"], point: EntryPoint, reason: str) -> PrerequisiteError:
    package = point.dist.name if point.dist else point.value
    return PrerequisiteError(
        f"The {what} {point.name} of the package {package} cannot be used: {reason}.",
        f"Mend the package, or remove it with: python -m pip uninstall {package}",
    )


def names() -> tuple[str, ...]:
    """`text`, `image`, and what else there is."""
    return tuple(modality.name for modality in all_modalities())


def units() -> tuple[str, ...]:
    """`page`, `image`, and what else there is, each once."""
    return tuple(dict.fromkeys(modality.unit for modality in all_modalities()))


def get(name: str) -> Modality:
    """The modality of this name. Raises KeyError."""
    return {modality.name: modality for modality in all_modalities()}[name]


def of_unit(unit: str) -> tuple[Modality, ...]:
    """The modalities that are counted in this unit; none where no modality is."""
    return tuple(modality for modality in all_modalities() if modality.unit == unit)


def of_options(options: Options) -> Modality:
    """The modality that these options belong to. Raises KeyError."""
    return {modality.options: modality for modality in all_modalities()}[type(options)]
