"""Bundled series of carbon intensity by country and year, and its revision by a newer edition.

    latest("USA").intensity_g_per_kwh           # of the newest year that no later edition has revised
    revise(read_public(path), "2027", series()) # what scripts/update-factors shows and writes

The public file is owid-energy-data.csv of Our World in Data (Ember's data): one row a country and year, with
the columns of `COLUMNS`. The series is the life cycle of generation, location-based.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from bench.errors import UsageError

FILE = "grid_series.yaml"
COLUMNS = ("country", "year", "iso_code", "carbon_intensity_elec")
WORLD = "WOR"
"""Code of the whole world; the public file has a name for it and no code."""
OLDEST = 1990
"""First year that is read from the public file."""


@dataclass(frozen=True)
class Point:
    """One country and year of the series."""

    id: str
    region: str
    intensity_g_per_kwh: float
    year: int
    edition: str
    source: str
    evidence: str = "secondary"
    superseded_by: str | None = None


class Seen(NamedTuple):
    """One country and year of the public file."""

    region: str
    year: int
    intensity_g_per_kwh: float


class Revision(NamedTuple):
    """Revised series, changes in words, and rows left out with the reason."""

    points: list[Point]
    changes: list[str]
    left_out: list[str]


@cache
def series() -> tuple[Point, ...]:
    """All rows in file order."""
    return tuple(_point(row) for row in content()["rows"])


@cache
def content() -> dict[str, Any]:
    """Parsed file: keys common to all rows, and `rows`."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(path().read_text(encoding="utf-8"), Loader=loader)
    return found


def path() -> Path:
    """Path of the bundled file."""
    return Path(str(resources.files("bench.data") / "reference" / FILE))


def latest(region: str, points: Iterable[Point] | None = None) -> Point | None:
    """Newest year of a country that was not superseded; `None` for a country outside the series."""
    standing = [
        point
        for point in (series() if points is None else points)
        if point.region == region and point.superseded_by is None
    ]
    return max(standing, key=lambda point: point.year, default=None)


def _point(row: Mapping[str, Any]) -> Point:
    rest = {name: row[name] for name in ("id", "region", "year", "edition", "source", "evidence")}
    return Point(intensity_g_per_kwh=float(row["value"]), superseded_by=row.get("superseded_by"), **rest)


def read_public(path: Path) -> list[Seen]:
    """Read the public file: all countries and years with a carbon intensity. Raises UsageError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise UsageError(
                    f"{path}: the column `{missing[0]}` is missing.",
                    "Name owid-energy-data.csv of github.com/owid/energy-data.",
                )
            return [found for row in reader if (found := _seen(row, path, reader.line_num)) is not None]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read: {error}.", "Name owid-energy-data.csv.") from error


def _seen(row: Mapping[str, str | None], path: Path, line: int) -> Seen | None:
    code = WORLD if row["country"] == "World" else (row["iso_code"] or "")
    value = row["carbon_intensity_elec"]
    if len(code) != 3 or not value:  # groups of countries, and years without electricity data
        return None
    try:
        return Seen(code, int(row["year"] or ""), float(value))
    except ValueError as error:
        raise UsageError(
            f"{path}:{line}: {error}.", "Name owid-energy-data.csv as it was published."
        ) from error


def revise(seen: Iterable[Seen], edition: str, points: Iterable[Point]) -> Revision:
    """Apply a newer edition: the newest year of each country, and every year already in the series."""
    held, changes, left_out = list(points), list[str](), list[str]()
    by_place = {(each.region, each.year): each for each in seen if each.year >= OLDEST}
    newest = {region: max(year for code, year in by_place if code == region) for region, _ in by_place}
    wanted = {(point.region, point.year) for point in held} | set(newest.items())
    for place in sorted(wanted & by_place.keys()):
        region, year = place
        found = by_place[place]
        standing = next((p for p in held if (p.region, p.year) == place and p.superseded_by is None), None)
        if not found.intensity_g_per_kwh > 0:
            left_out.append(f"{region} {year}: {found.intensity_g_per_kwh:g} g/kWh, which no grid emits")
        elif standing is None or _is_revised(standing, found, edition):
            _take(held, standing, found, edition)
            changes.append(_in_words(standing, found))
    held.sort(key=lambda point: (point.region, point.year, point.edition))
    return Revision(held, changes, left_out)


def _is_revised(standing: Point, found: Seen, edition: str) -> bool:
    return standing.edition < edition and standing.intensity_g_per_kwh != round(found.intensity_g_per_kwh, 1)


def _take(held: list[Point], standing: Point | None, found: Seen, edition: str) -> None:
    name = f"grid.{found.region.lower()}.{found.year}.owid{edition}"
    value = round(found.intensity_g_per_kwh, 1)
    held.append(Point(name, found.region, value, found.year, edition, f"owid{edition}"))
    if standing is not None:
        held[held.index(standing)] = Point(**{**vars(standing), "superseded_by": name})


def _in_words(standing: Point | None, found: Seen) -> str:
    place = f"{found.region} {found.year}: {found.intensity_g_per_kwh:.1f} g/kWh"
    if standing is None:
        return f"{place}, new"
    change = found.intensity_g_per_kwh / standing.intensity_g_per_kwh - 1
    return f"{place}, was {standing.intensity_g_per_kwh:g} (edition {standing.edition}), {change:+.1%}"


def text_of(points: Iterable[Point]) -> str:
    """Text of the file with these rows below its present head."""
    head = path().read_text(encoding="utf-8").partition("rows:\n")[0]
    return f"{head}rows:\n" + "".join(f"- {_line(point)}\n" for point in points)


def _line(point: Point) -> str:
    row = {"id": point.id, "region": point.region, "value": point.intensity_g_per_kwh, "year": point.year}
    row |= {"edition": point.edition, "source": point.source, "evidence": point.evidence}
    row |= {} if point.superseded_by is None else {"superseded_by": point.superseded_by}
    return str(yaml.safe_dump(row, default_flow_style=True, sort_keys=False, width=10_000)).strip()
