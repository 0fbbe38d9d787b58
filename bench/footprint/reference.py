"""The bundled figures: every row with id, unit, scope, year, source and evidence.

    factors()["pue.industry.2025"].range        # Range(1.54, 1.54, 1.54)
    published()                                  # every published figure, in the order of the file
    sources()[row.source].citation

Files are read when first asked for, with the C parser: all of them take 0.1 s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, TypeVar

import yaml

from bench.catalog import grid_series
from bench.footprint.bundled_rows import Baseline, Factor, FigureSource, Part, Published, RatioVector, System


@cache
def sources() -> dict[str, FigureSource]:
    """Every source by its key."""
    return {key: FigureSource.model_validate(value) for key, value in content("sources")["sources"].items()}


@cache
def factors() -> dict[str, Factor]:
    """Grid, PUE, water, embodied, lifetime and utilisation factors by id; the series of countries first."""
    series = grid_series.content()
    rows = [{**series, **row} for row in series["rows"]]
    rows = [{name: value for name, value in row.items() if name != "rows"} for row in rows]
    rows += [row for group in content("factors").values() for row in group]
    return {row.id: row for row in _rows(Factor, rows)}


@cache
def human_quantities() -> dict[str, Factor]:
    """Speeds, annual footprints, powers and hours of people, by id."""
    return {row.id: row for row in _rows(Factor, content("human_baselines")["quantities"])}


@cache
def baselines() -> dict[str, Baseline]:
    """The human baselines by id."""
    return {row.id: row for row in _rows(Baseline, content("human_baselines")["baselines"])}


@cache
def paper_inputs() -> dict[str, Factor]:
    """Inputs of Tomlinson et al. 2024 on the side of the models, by id."""
    rows = [_referred(row) if "same_as" in row else row for row in content("tomlinson2024")["inputs"]]
    return {row.id: row for row in _rows(Factor, rows)}


def _referred(row: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a row that refers to another by `same_as`."""
    name = row["same_as"]
    factor = (factors() | human_quantities()).get(name)
    if factor is not None:
        held = factor.model_dump(exclude_none=True, exclude={"id"})
    else:
        held = next(each for each in published() if each.id == name).as_factor()
    return held | dict(row)


@cache
def ratio_vectors() -> tuple[RatioVector, ...]:
    """The ratios in print."""
    return _rows(RatioVector, content("tomlinson2024")["ratio_test_vectors"])


@cache
def published() -> tuple[Published, ...]:
    """Every published figure, in the order of the file."""
    return _rows(Published, content("published_figures")["figures"])


@cache
def systems() -> tuple[System, ...]:
    """Every named system, in the order of the file."""
    return _rows(System, content("systems")["systems"])


_Model = TypeVar("_Model", bound=Part)


def _rows(kind: type[_Model], rows: Sequence[Any]) -> tuple[_Model, ...]:
    return tuple(map(kind.model_validate, rows))


def loader() -> Any:
    """YAML loader: the C parser if it is there."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def content(name: str) -> dict[str, Any]:
    """One of the bundled files, as YAML has it."""
    text = (resources.files("bench.data") / "reference" / f"{name}.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = yaml.load(text, Loader=loader())
    return read
