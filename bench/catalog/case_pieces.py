"""Options and weights of one case, from the layers that state them.

options_of("bloom-3b", model, chosen)               # TextOptions(new_tokens=340, ...)
weights_of("bloom-3b", model, "random", None)       # Weights(kind="random", architecture="bloom-3b")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from bench.catalog.models import Catalogue, Measure, Model, Work
from bench.core import modalities
from bench.core.modality import Modality, Options
from bench.core.weights import Weights, WeightsKind
from bench.errors import UsageError


def on_hub(catalogue: Catalogue, model: Model) -> bool:
    """Whether the hub has its weights, or those of all its parts."""
    if model.parts is None:
        return model.hub_id is not None
    return all(catalogue.models[part.model].hub_id is not None for part in model.parts.values())


def options_of(name: str, model: Model, chosen: Mapping[str, Any]) -> Options:
    """The options that the model's modality takes. Raises UsageError where one is needed and not chosen."""
    modality = modalities.get(model.engine)
    asked = {key: chosen[key] for key in modality.keys if chosen[key] is not None}
    stated = {key: getattr(model, key) for key in modality.options.of_model}
    try:
        return modality.options.model_validate(asked | stated)
    except ValidationError as error:
        missing = sorted(str(found["loc"][0]) for found in error.errors() if found["type"] == "missing")
        if not missing:
            raise
        raise _incomplete(name, modality, missing) from None


def _incomplete(name: str, modality: Modality, missing: list[str]) -> UsageError:
    """The error for a model that nothing gives these options."""
    flags = [flag.name for flag in modality.flags if set(missing).intersection(flag.keys)]
    give = f"Give {' and '.join(f'--{flag}' for flag in flags)}, or set" if flags else "Set"
    return UsageError(
        f'"{name}" has no {" or ".join(flags or missing)}.', f"{give} {', '.join(missing)} in models.yaml."
    )


def weights_of(name: str, model: Model, kind: WeightsKind, path: str | None) -> Weights:
    """The weights of a kind. Raises UsageError where the model has none of it."""
    if model.parts:
        return Weights(kind=kind, path=path)
    if kind == "hub":
        if model.hub_id is None:
            raise UsageError(f'"{name}" has no weights on a hub.', "Use --weights random for it.")
        found = Weights(kind="hub", hub_id=model.hub_id, revision=model.revision, variant=model.variant)
        return found.model_copy(update={"components": model.components}) if model.components else found
    if kind == "random":
        if model.architecture is None:
            raise UsageError(f'No architecture is stored for "{name}".', "Use --weights hub for it.")
        return Weights(kind="random", architecture=model.architecture)
    return Weights(kind="path", path=path)


def first_set(kind: type[Work] | type[Measure], layers: Sequence[Work | Measure | None]) -> dict[str, Any]:
    """For each field of `kind` the first layer's value that is not `None`."""
    chosen: dict[str, Any] = {}
    for key in kind.model_fields:
        values = (getattr(layer, key) for layer in layers if layer is not None)
        chosen[key] = next((value for value in values if value is not None), None)
    return chosen


def refuse_idle_keys(idle: set[str], given: str) -> None:
    """Refuse options that change none of the chosen cases; `given` is typed before their names."""
    for modality in modalities.all_modalities():
        useless = sorted(modality.keys & idle)
        if useless:
            makers = [other for other in modalities.all_modalities() if useless[0] in other.keys]
            option = next((flag.name for flag in modality.flags if useless[0] in flag.keys), None)
            option = option or useless[0].replace("_", "-")
            names = [maker.name for maker in makers]
            of = f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0]
            raise UsageError(f"{given}{option} means nothing here: it is a key of {of}.")
