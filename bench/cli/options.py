"""Options that several verbs share, and how their text becomes typed values."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from bench.catalog import loading
from bench.catalog.models import Catalogue
from bench.core.weights import WeightsKind
from bench.errors import UsageError

models_option = click.option(
    "--models",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Another catalogue than ./models.yaml.",
)
results_option = click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    metavar="DIR",
    help="Folder of records.",
)
gpus_option = click.option(
    "--gpus",
    metavar="LIST",
    help="Cards to meter and use, as indices or UUIDs: 0,GPU-1a2b.",
)
device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cuda", "cpu"]),
    default="auto",
    show_default=True,
    help="Where the work runs; with cpu, --gpus only names what is metered.",
)
grid_option = click.option(
    "--grid",
    metavar="FACTOR",
    help="Electricity: a country (DEU, India), a number of g CO2e/kWh, or a file. [default: USA]",
)
pue_option = click.option(
    "--pue",
    type=float,
    metavar="NUMBER",
    help="Overhead of the data centre, applied once: joules of scope host become those of the facility.",
)
shapes_option = click.option(
    "--shapes",
    is_flag=True,
    help="Also random weights of true shapes, labelled as shapes; toy models never.",
)
references_option = click.option(
    "--references",
    "references",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Reference rows that `python -m bench footprint import` wrote, beside the bundled ones. Repeatable.",
)
debug_option = click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks.")
all_option = click.option(
    "--all", "everything", is_flag=True, help="Everything, with inputs and sources: not ten lines alone."
)


class Finite(click.FloatRange):
    """A number within a range that is neither infinite nor NaN (both compare as if they were in it)."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or the usual error of an option."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


def load_catalogue(models: Path | None) -> Catalogue:
    """The catalogue named, or the one found."""
    return loading.load(loading.find(models))


class WeightsChoice(NamedTuple):
    """Where weights come from; the folder or file of those of a path."""

    kind: WeightsKind
    folder: str | None = None


def parse_weights(
    _ctx: click.Context, _parameter: click.Parameter, value: str | None
) -> WeightsChoice | None:
    """`hub`, `random` or `path:DIR`."""
    if value is None:
        return None
    match value:
        case "hub" | "random":
            return WeightsChoice(value)
    kind, _, folder = value.partition(":")
    if kind != "path" or not folder:
        raise click.BadParameter(f"{value!r} is none of hub, random and path:DIR.")
    if not Path(folder).exists():
        raise click.BadParameter(f"folder or file {folder!r} does not exist.")
    return WeightsChoice("path", str(Path(folder).resolve()))


def parse_fraction(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """`2%` or `0.02` as 0.02."""
    if value is None:
        return None
    try:
        number = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a fraction such as 2% or 0.02.") from None
    if not 0 < number < 1:
        meant = f" Write {number:g}% or {number / 100:g}." if 1 <= number < 100 and "%" not in value else ""
        raise click.BadParameter(f"{value} is not between 0 and 100 %.{meant}")
    return number


class PartOfCases(NamedTuple):
    """The I-th of N parts of a list: every N-th from there on."""

    number: int = 1
    of_all: int = 1

    def of(self, listed: Sequence[Any]) -> list[Any]:
        """Raises UsageError where none is left."""
        chosen = list(listed[self.number - 1 :: self.of_all])
        if not chosen:
            raise UsageError(
                f"Part {self.number}/{self.of_all} of {len(listed)} cases has none.", "Use fewer parts."
            )
        return chosen


def parse_part(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> PartOfCases:
    """`2/8`: the second of eight parts."""
    if value is None:
        return PartOfCases()
    found = re.fullmatch(r"([1-9]\d{0,4})/([1-9]\d{0,4})", value)
    if found is None or int(found[1]) > int(found[2]):
        raise click.BadParameter(f"{value!r} is not a part such as 2/8.")
    return PartOfCases(int(found[1]), int(found[2]))


UNITS_S = {"": 1.0, "ms": 1e-3, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}


class SecondsParam(Finite):
    """A length of time in a range: `60`, `500ms`, `60s`, `5min`, `2h`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The time in seconds, or the usual error of an option."""
        match = re.fullmatch(r"([0-9.]+)\s*([a-z]*)", str(value).strip().lower())
        if match is None or match[2] not in UNITS_S or match[1].count(".") > 1 or match[1] == ".":
            self.fail(f"{value!r} is not a time such as 60s, 500ms, 5min or 2h.", param, ctx)
        return super().convert(float(match[1]) * UNITS_S[match[2]], param, ctx)
