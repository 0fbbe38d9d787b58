"""Reading of models.yaml; every mistake becomes `file:line: key path: what was expected`.

catalogue = load(find())          # ./models.yaml, else the one that came with this package
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bench.catalog.models import Catalogue, Measure, Model, ModelPart, Suite, SuiteCase, Work
from bench.catalog.yaml_source import KeyPath, YamlSource, brief, printable, read, show
from bench.core import modalities
from bench.core.near_names import nearest
from bench.errors import CatalogError

FILE_NAME = "models.yaml"
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")

EXPECTED = {
    "model_type": "expected keys with their values",
    "dict_type": "expected keys with their values",
    "list_type": "expected a list",
    "string_type": "expected text: put it in quotes",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "int_parsing": "expected a whole number",
    "float_parsing": "expected a number",
    "bool_parsing": "expected true or false",
    "too_short": "expected at least one value",
}
"""Sentences for pydantic's types of mistake in the words of a catalogue; pydantic's own for the rest."""


def find(named: Path | None = None) -> Path:
    """The catalogue to use: the one named, else ./models.yaml, else the one that came with this package."""
    if named is not None:
        return named
    package = Path(__file__).resolve().parents[1]
    shipped = (package.parent / FILE_NAME, package / "data" / FILE_NAME)
    for candidate in (Path(FILE_NAME), *shipped):
        if candidate.is_file():
            return candidate
    raise CatalogError(f"No {FILE_NAME} here or beside the package.", "Name one with --models FILE.")


def load(path: Path) -> Catalogue:
    """Read and check a catalogue. Raises CatalogError that lists every mistake, one a line."""
    source = read(path)
    try:
        catalogue = Catalogue.model_validate(source.value)
    except ValidationError as error:
        raise CatalogError("\n".join(explain(source, error, Catalogue))) from error
    mistakes = list(_cross_check(source, catalogue))
    if mistakes:
        raise CatalogError("\n".join(map(printable, mistakes)))
    return catalogue


def explain(source: YamlSource, error: ValidationError, root: type[BaseModel]) -> Iterable[str]:
    """Every mistake that `root` found in a file, as `file:line: key path: what was expected`."""
    for item in error.errors(include_url=False):
        at: KeyPath = tuple(part for part in item["loc"] if part != "[key]")
        place = _place(source, at)
        if item["type"] == "extra_forbidden":
            fields = _fields_at(at[:-1], root)
            yield f"{place}: unknown key. {nearest(str(at[-1]), fields)}"
        elif item["type"] == "missing":
            yield f"{place}: this key is missing."
        elif item["type"] == "secret":  # the value may be the secret itself
            yield f"{place}: {item['msg']}."
        else:
            yield f"{place}: {wrong_value(item)}"


def wrong_value(item: ErrorDetails) -> str:
    """What was found and what was expected, in place of the validator's words."""
    found = brief(item["input"])
    if item["type"] == "literal_error":
        allowed = re.findall(r"'([^']*)'|\b(\d+)\b", str(item["ctx"]["expected"]))
        names = [text or number for text, number in allowed]
        return f"found {found}, expected one of {', '.join(names)}. {nearest(found, names)}"
    expected = EXPECTED.get(item["type"], item["msg"][0].lower() + item["msg"][1:])
    return f"found {found}, {expected}."


def _fields_at(at: KeyPath, root: type[BaseModel]) -> list[str]:
    """The keys that are allowed under a key path, found by walking the types."""
    model = root
    named = False  # whether the next part is a name or a number someone chose, not a key of the type
    for part in at:
        field = None if named else model.model_fields.get(str(part))
        named = False
        if field is not None:
            model = next(iter(_models_in(field.annotation)), model)
            named = get_origin(field.annotation) in (dict, list)
    return [field.alias or name for name, field in model.model_fields.items()]


def _models_in(annotation: object) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models_in(inner)


def _cross_check(source: YamlSource, catalogue: Catalogue) -> Iterable[str]:
    """Mistakes that types alone cannot detect: unknown names, keys of the wrong engine."""
    yield from _check_defaults(source, catalogue)
    for name, model in catalogue.models.items():
        yield from _check_name(source, ("models", name))
        yield from _check_model(source, name, model, catalogue.models)
    for name, suite in catalogue.suites.items():
        yield from _check_name(source, ("suites", name))
        if name in catalogue.models:
            yield f"{_place(source, ('suites', name))}: a model is called `{name}` too; rename one."
        for index, case in enumerate(suite.cases):
            yield from _check_case(source, ("suites", name, "cases", index), suite, case, catalogue.models)
        yield from _check_suites_axes(source, name, suite, catalogue.models)


def _place(source: YamlSource, at: KeyPath) -> str:
    return f"{source.where(at)}: {show(at)}"


CHOSEN_KEYS = {"block_seconds", "restarts"}
"""The runner's choice where nothing is set."""
OPTIONS = Work.model_fields.keys()


EVERY_CASE_NEEDS = frozenset({"dtype", "batch", "seed"})


def _check_defaults(source: YamlSource, catalogue: Catalogue) -> Iterable[str]:
    """Defaults have no fallback, so they must have what every case of a model here needs."""
    used = {model.engine for model in catalogue.models.values()}
    for modality in modalities.all_modalities():
        at: KeyPath = ("defaults", modality.name)
        work = catalogue.defaults.of(modality.name)
        if work is not None:
            yield from _missing(source, at, work, EVERY_CASE_NEEDS | modality.defaults)
            yield from _wrong_keys(source, at, work, modality.name)
        elif modality.name in used:
            yield f"{_place(source, at)}: this key is missing."
    needed = Measure.model_fields.keys() - CHOSEN_KEYS
    yield from _missing(source, ("defaults", "measure"), catalogue.defaults.measure, needed)


def _missing(source: YamlSource, at: KeyPath, layer: Work | Measure, needed: Iterable[str]) -> Iterable[str]:
    for key in sorted(needed):
        if getattr(layer, key) is None:
            yield f"{_place(source, (*at, key))}: this key is missing."


def _check_case(
    source: YamlSource, at: KeyPath, suite: Suite, case: SuiteCase, models: dict[str, Model]
) -> Iterable[str]:
    if case.model not in models:
        hint = nearest(case.model, models)
        yield f'{_place(source, (*at, "model"))}: unknown model "{case.model}". {hint}'
        return
    chosen = models[case.model]
    yield from _wrong_keys(source, at, case, chosen.engine)
    yield from _check_axes(source, at, case, chosen.engine)
    if chosen.parts:
        return
    if (case.weights or suite.weights) == "random" and chosen.architecture is None:
        yield f"{_place(source, at)}: `{case.model}` has no architecture to make at random."
    if case.weights == "hub" and chosen.hub_id is None:
        yield f"{_place(source, (*at, 'weights'))}: `{case.model}` has no weights on a hub."


def _check_axes(source: YamlSource, at: KeyPath, case: SuiteCase, engine: str) -> Iterable[str]:
    """Axes that the case cannot have, or that it sets beside."""
    for axis, keys in case.sweep.keys_by_axis().items():
        place = _place(source, (*at, "sweep", axis))
        if not keys <= _known_keys(engine):
            yield f"{place}: `{axis}` means nothing to {_a_model(engine)}."
        if keys & case.keys_set().keys():
            yield f"{place}: the case sets `{axis}`, so it is not an axis; remove one of the two."


def _check_suites_axes(
    source: YamlSource, name: str, suite: Suite, models: dict[str, Model]
) -> Iterable[str]:
    """Axes of a suite that none of its cases can have."""
    engines = {models[case.model].engine for case in suite.cases if case.model in models}
    for axis, keys in suite.sweep.keys_by_axis().items():
        if not any(keys <= _known_keys(engine) for engine in engines):
            yield f"{_place(source, ('suites', name, 'sweep', axis))}: `{axis}` means nothing to its cases."
    unknown_models = {model for exclusion in suite.exclude for model in exclusion.model} - models.keys()
    for model in sorted(unknown_models):
        place = _place(source, ("suites", name, "exclude"))
        yield f'{place}: unknown model "{model}". {nearest(model, models)}'


def _check_name(source: YamlSource, at: KeyPath) -> Iterable[str]:
    if not NAME_PATTERN.fullmatch(str(at[-1])):
        yield (
            f"{_place(source, at)}: a name is small letters, digits, dot, dash and underscore, "
            "64 at most, because it becomes part of a file name."
        )


def _check_model(source: YamlSource, name: str, model: Model, models: dict[str, Model]) -> Iterable[str]:
    at: KeyPath = ("models", name)
    if model.parts is not None:
        yield from _check_parts(source, at, model.parts, models)
    elif model.hub_id is None and model.architecture is None:
        yield f"{_place(source, at)}: needs a hub_id, an architecture, or both."
    if model.hub_id is not None and model.revision is None:
        yield f"{_place(source, at)}: a hub_id needs a revision (a commit, or main)."
    if model.architecture is not None and model.architecture not in _architectures():
        hint = nearest(model.architecture, _architectures())
        place = _place(source, (*at, "architecture"))
        yield f'{place}: unknown architecture "{model.architecture}". {hint}'
    if model.unit != modalities.get(model.engine).unit:
        plural = modalities.of_unit(model.unit)[0].plural
        yield f"{_place(source, (*at, 'unit'))}: {_a_model(model.engine)} does not make {plural}."
    yield from _wrong_keys(source, (*at, "defaults"), model.defaults, model.engine)


def _check_parts(
    source: YamlSource, at: KeyPath, parts: dict[str, ModelPart], models: dict[str, Model]
) -> Iterable[str]:
    """Parts that this file has no model for, or that are themselves made of several."""
    for name, part in parts.items():
        place = _place(source, (*at, "parts", name, "model"))
        if part.model not in models:
            yield f'{place}: unknown model "{part.model}". {nearest(part.model, models)}'
        elif models[part.model].parts is not None:
            yield f"{place}: `{part.model}` has parts itself; name a single model."


@cache
def _architectures() -> frozenset[str]:
    folder = resources.files("bench.data") / "architectures"
    names = (item.name for item in folder.iterdir())
    return frozenset(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def _a_model(engine: str) -> str:
    """`a text model`, `an image model`."""
    return f"{'an' if engine[0] in 'aeiou' else 'a'} {engine} model"


def _wrong_keys(source: YamlSource, at: KeyPath, work: Work, engine: str) -> Iterable[str]:
    for key in sorted(work.model_fields_set & OPTIONS - _known_keys(engine)):
        yield f"{_place(source, (*at, key))}: `{key}` means nothing to {_a_model(engine)}."


def _known_keys(engine: str) -> frozenset[str]:
    """The keys of a case of this modality."""
    return EVERY_CASE_NEEDS | {"workload", "replicas"} | modalities.get(engine).keys
