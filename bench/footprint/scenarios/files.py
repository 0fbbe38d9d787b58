"""Scenario files: found by name or path, read strictly, changed from the command line.

    draft = find("critics")               # bundled
    draft = find("my-scenario.yaml")      # or a file

A file is YAML; a mistake is shown as `file:line: key: what was expected`. An input is the id of a bundled
figure or a mapping (`bench.footprint.scenarios.inputs.InputSpec`). Parts beside `person` and `model` may be
left out: then they are not counted, with a note.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, create_model

from bench.catalog.loading import explain
from bench.catalog.yaml_source import read
from bench.core.near_names import unknown
from bench.errors import CatalogError
from bench.footprint.bundled_rows import Part
from bench.footprint.scenarios.draft import About, Deciding, ScenarioDraft
from bench.footprint.scenarios.inputs import InputSpec
from bench.footprint.scenarios.model import PARAMETERS
from bench.streams import is_standard

REMEDY = (
    "`python -m bench footprint scenario --help` names the bundled ones; docs/scenarios.md shows the format."
)


def _entry(found: Any) -> Any:
    """The id of a bundled figure alone is short for a value."""
    return {"value": found} if isinstance(found, str) else found


_OptionalInput = Annotated[InputSpec | None, BeforeValidator(_entry)]


def _parts() -> dict[str, type[BaseModel]]:
    parts: dict[str, dict[str, Any]] = {}
    for key in PARAMETERS:
        part, _, name = key.partition(".")
        parts.setdefault(part, {})[name] = (_OptionalInput, None)
    return {part: create_model(part, __base__=Part, **fields) for part, fields in parts.items()}


class Decides(Part):
    """Input that decides the outcome: subject of the first line, and the ways to count it."""

    what: Annotated[str, Field(min_length=1)]
    choices: dict[str, list[str]]


class Head(Part):
    """Description of a scenario."""

    about: Annotated[str, Field(min_length=1)]
    unit: Literal["page", "image"]
    leaves_out: list[str] = Field(default_factory=list)
    energy_of: str | None = None
    energy_leaves_out: list[str] = Field(default_factory=list)
    decides: Decides | None = None


PARTS = _parts()
File: type[Head] = create_model(
    "File", __base__=Head, **{part: (model | None, None) for part, model in PARTS.items()}
)  # type: ignore[call-overload]
"""A whole file: the head, and a key for every part of `PARAMETERS`."""


def bundled() -> dict[str, Path]:
    """The scenarios that come along, by name."""
    folder = Path(str(resources.files("bench.data") / "scenarios"))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def find(name: str) -> ScenarioDraft:
    """A bundled scenario by its name, or one from a file. Raises UsageError or CatalogError."""
    if name in bundled():
        return load(bundled()[name])
    path = Path(name)
    if path.suffix not in (".yaml", ".yml") and not path.is_file() and not is_standard(path):
        raise unknown("scenario", name, bundled())
    return load(path)


def load(path: Path) -> ScenarioDraft:
    """Read a scenario file. Raises CatalogError that lists every mistake, one a line."""
    source = read(path, REMEDY)
    try:
        file = File.model_validate(source.value)
    except ValidationError as error:
        raise CatalogError("\n".join(explain(source, error, File)), REMEDY) from error
    entries: dict[str, InputSpec] = {}
    places: dict[str, str] = {}
    for key in PARAMETERS:
        part, _, name = key.partition(".")
        found = getattr(getattr(file, part), name, None)
        if found is not None:
            entries[key], places[key] = found, source.where((part, name))
    leaves_out = (*file.leaves_out, *file.energy_leaves_out)
    about = About(path.stem, file.about.strip(), file.unit, leaves_out, _deciding(file))
    return ScenarioDraft(about, entries, places, file.energy_of, tuple(file.energy_leaves_out))


def _deciding(file: Head) -> Deciding | None:
    if file.decides is None:
        return None
    choices = {name: tuple(changes) for name, changes in file.decides.choices.items()}
    return Deciding(file.decides.what, choices)
