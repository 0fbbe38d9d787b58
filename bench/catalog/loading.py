"""Find models.yaml, read it, and turn every mistake into `file:line: key path: what was expected`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ValidationError

from bench.catalog.models import IMAGE_KEYS, TEXT_KEYS, Catalogue, Model, Work
from bench.catalog.yaml_source import KeyPath, Source, read, show
from bench.errors import CatalogError, UsageError

FILE_NAME = "models.yaml"
NAME_PATTERN = re.compile(r"^[a-z0-9][a-z0-9._-]{0,63}$")


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
        raise CatalogError("\n".join(_explain(source, error))) from error
    mistakes = list(_cross_check(source, catalogue))
    if mistakes:
        raise CatalogError("\n".join(mistakes))
    return catalogue


def nearest(name: str, names: Iterable[str]) -> str:
    """` Did you mean "x"?`, or the list of names where nothing is near."""
    known = sorted(names)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f'Did you mean "{close[0]}"?' if close else f"Known: {', '.join(known)}."


def unknown(kind: str, name: str, names: Iterable[str]) -> UsageError:
    """The error for a name the user typed that does not exist."""
    return UsageError(f'There is no {kind} "{name}".', nearest(name, names))


def _explain(source: Source, error: ValidationError) -> Iterable[str]:
    for item in error.errors(include_url=False):
        at: KeyPath = tuple(part for part in item["loc"] if part != "[key]")
        place = f"{source.where(at)}: {show(at)}"
        if item["type"] == "extra_forbidden":
            fields = _fields_at(at[:-1])
            yield f"{place}: unknown key. {nearest(str(at[-1]), fields)}"
        elif item["type"] == "missing":
            yield f"{place}: this key is missing."
        elif item["type"] == "literal_error":
            allowed = re.findall(r"'([^']*)'|\b(\d+)\b", str(item["ctx"]["expected"]))
            names = [text or number for text, number in allowed]
            yield f"{place}: found {item['input']!r}, expected one of {', '.join(names)}. " + (
                nearest(str(item["input"]), names)
            )
        else:
            message = item["msg"][0].lower() + item["msg"][1:]
            yield f"{place}: found {_brief(item['input'])}, {message}."


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _fields_at(at: KeyPath) -> list[str]:
    """The keys that are allowed under a key path, found by walking the types."""
    model: type[BaseModel] = Catalogue
    for part in at:
        field = model.model_fields.get(str(part)) if isinstance(part, str) else None
        if field is None:
            continue
        for candidate in _models_in(field.annotation):
            model = candidate
            break
    return [field.alias or name for name, field in model.model_fields.items()]


def _models_in(annotation: object) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models_in(inner)


def _cross_check(source: Source, catalogue: Catalogue) -> Iterable[str]:
    """What types alone cannot see: names that point nowhere, keys of the wrong engine."""
    for name, model in catalogue.models.items():
        yield from _check_name(source, ("models", name))
        yield from _check_model(source, name, model)
    yield from _wrong_keys(source, ("defaults", "text"), catalogue.defaults.text, "text")
    yield from _wrong_keys(source, ("defaults", "image"), catalogue.defaults.image, "image")
    for suite_name, suite in catalogue.suites.items():
        yield from _check_name(source, ("suites", suite_name))
        if suite_name in catalogue.models:
            yield f"{source.where(('suites', suite_name))}: a model is called `{suite_name}` too; rename one."
        for index, case in enumerate(suite.cases):
            at: KeyPath = ("suites", suite_name, "cases", index)
            if case.model not in catalogue.models:
                hint = nearest(case.model, catalogue.models)
                place = f"{source.where((*at, 'model'))}: {show((*at, 'model'))}"
                yield f'{place}: there is no model "{case.model}". {hint}'
                continue
            chosen = catalogue.models[case.model]
            yield from _wrong_keys(source, at, case, chosen.engine)
            if (case.weights or suite.weights) == "random" and chosen.architecture is None:
                yield f"{source.where(at)}: {show(at)}: `{case.model}` has no architecture to make at random."


def _check_name(source: Source, at: KeyPath) -> Iterable[str]:
    if not NAME_PATTERN.match(str(at[-1])):
        yield (
            f"{source.where(at)}: {show(at)}: a name is small letters, digits, dot, dash and underscore, "
            "64 at most, because it becomes part of a file name."
        )


def _check_model(source: Source, name: str, model: Model) -> Iterable[str]:
    at: KeyPath = ("models", name)
    if model.hub_id is None and model.architecture is None:
        yield f"{source.where(at)}: {show(at)}: needs a hub_id, an architecture, or both."
    if model.hub_id is not None and model.revision is None:
        yield f"{source.where(at)}: {show(at)}: a hub_id needs a revision (a commit, or main)."
    if (model.engine == "text") != (model.unit == "page"):
        place = f"{source.where((*at, 'unit'))}: {show((*at, 'unit'))}"
        yield f"{place}: a {model.engine} model does not make {model.unit}s."
    yield from _wrong_keys(source, (*at, "defaults"), model.defaults, model.engine)


def _wrong_keys(source: Source, at: KeyPath, work: Work, engine: str) -> Iterable[str]:
    foreign = IMAGE_KEYS if engine == "text" else TEXT_KEYS
    for key in sorted(foreign & work.model_fields_set):
        yield f"{source.where((*at, key))}: {show((*at, key))}: `{key}` means nothing to a {engine} model."
