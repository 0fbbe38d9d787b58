"""The options of `bench run` that make a sweep: `--sweep`, `--exclude`, `--order`, `--order-seed`, `--yes`.

    --sweep batch=1,8,32 --sweep dtype=float16,bfloat16 --exclude batch=32,dtype=float16

A value is YAML, as in models.yaml; `none` leaves the key to the model and the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click
import yaml
from pydantic import BaseModel, ValidationError

from bench.catalog import served_loads
from bench.catalog.axes import AXES, Exclusion, SweepAxes, axes_of_modalities
from bench.catalog.cases import Overrides
from bench.catalog.loading import wrong_value
from bench.catalog.option_types import parsed_flags
from bench.core.modality import Modality
from bench.core.near_names import nearest
from bench.core.workload import Workload
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.cli.run_options import RunOptions
    from bench.measurement.measured_already import SkipMeasured

Keyed = TypeVar("Keyed", bound=BaseModel)
RUN_OPTIONS = {"device": "--device", "gpus": "--gpus", "weights": "--weights", "model": "the names of models"}
"""Options of a whole run that are not keys of a case, by the key that a user may try."""


def add_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a sweep, as decorators of the command."""
    for decorator in reversed(_OPTIONS):
        command = decorator(command)
    return command


_OPTIONS = (
    click.option(
        "--sweep",
        "axes",
        multiple=True,
        metavar="KEY=A,B",
        help="Measure every combination of the values of these keys of a case. Repeatable.",
    ),
    click.option(
        "--exclude",
        multiple=True,
        metavar="KEY=A,B[,KEY=C]",
        help="Leave out the cases that have one of these values of each key, also model=NAME. Repeatable.",
    ),
    click.option(
        "--order",
        type=click.Choice(["blocked", "interleaved"]),
        help="Of the cases: as listed, or shuffled by --order-seed. [default: the suite's, else blocked]",
    ),
    click.option(
        "--order-seed",
        type=click.IntRange(0, 2**31 - 1),
        default=0,
        show_default=True,
        help="Seed of the order.",
    ),
    click.option("--yes", is_flag=True, help="Begin a sweep of more than 100 cases; list all in a dry run."),
    click.option(
        "--again/--resume",
        "again",
        default=None,
        help="Measure anew what was measured already, or skip it; a sweep skips it by default.",
    ),
)


def with_sweep(asked: RunOptions, *, of_pair: bool, of: Iterable[Modality]) -> Overrides:
    """The overrides with the axes, exclusions and order of the command line. Raises UsageError.

    `of` are the modalities of the chosen models.
    """
    keys = axes_of_modalities(of)
    overrides = asked.overrides()
    if asked.pair is not None and asked.again is False:
        raise UsageError("A pair is always measured anew.", "Leave out --resume.")
    if of_pair and (asked.axes or asked.exclude or asked.order):
        raise UsageError("A pair is two cases, and a sweep makes others.", "Name both in full: sdxl,batch=8.")
    return replace(
        overrides,
        sweep=sweep_axes(asked.axes, overrides.work.keys_set(), keys),
        exclude=exclusions(asked.exclude, keys),
        order=asked.order,
        order_seed=asked.order_seed,
    )


def skip_measured(again: bool | None) -> SkipMeasured:
    """Which measured cases are skipped, by `--again`, `--resume` or neither."""
    if again is None:
        return "sweeps"
    return "none" if again else "all"


def sweep_axes(texts: Sequence[str], fixed: Mapping[str, Any], keys: Collection[str] = AXES) -> SweepAxes:
    """The axes of `--sweep`. Raises UsageError; `fixed` are keys that other options set.

    `keys` are those to name where one is known nowhere.
    """
    raw: dict[str, list[Any]] = {}
    for text in texts:
        key, value = _split(text, "--sweep", "batch=1,8,32")
        values = [_value(key, part.strip()) for part in value.split(",") if part.strip()]
        if not values:
            raise UsageError(f'--sweep "{text}" has no values.', "Such as: --sweep batch=1,8,32.")
        if key in raw:
            raise UsageError(f"--sweep names {key} twice.", f"Give all values at once: {key}=A,B,C.")
        raw[key] = values
    axes = _checked(SweepAxes, raw, "--sweep", keys)
    for key, changes in axes.changes().items():
        if set(changes[0]) & set(fixed):
            raise UsageError(f"{key} is an axis, and another option sets it.", f"Leave out --{_typed(key)}.")
    return axes


def exclusions(texts: Sequence[str], keys: Collection[str] = AXES) -> tuple[Exclusion, ...]:
    """The exclusions of `--exclude`. Raises UsageError."""
    found = []
    for text in texts:
        raw: dict[str, list[Any]] = {}
        key = ""
        for part in text.split(","):
            if "=" not in part and raw and part.strip():  # batch=1,2: another value of the same key
                value = part.strip()
            else:
                key, value = _split(part, "--exclude", "batch=32,dtype=float32")
            raw.setdefault(key, []).append(value if key == "model" else _value(key, value))
        found.append(_checked(Exclusion, raw, "--exclude", keys))
    return tuple(found)


def _split(text: str, option: str, example: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    key = key.strip().replace("-", "_")
    if not equals or not key:
        raise UsageError(f'{option} "{text}" is not key=value.', f"Such as: {option} {example}.")
    return key, value.strip()


def _value(key: str, text: str) -> Any:
    """A value of YAML; the text itself for a flag that reads text; a window by its name."""
    if key in parsed_flags():
        return text
    if key == "workload" and text != "none" and not text.startswith("{"):
        return _window(text)
    try:
        return None if text == "none" else yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _window(text: str) -> Workload:
    """The workload of a window's name. Raises UsageError also for a preset, which sets several keys."""
    keys = dict(served_loads.keys_of(text))
    window: Workload = keys.pop("workload")
    if keys:
        raise UsageError(
            f"The preset {text} sets {', '.join(keys)} beside the workload, and an axis has one key.",
            "Run it by --workload, once for each load.",
        )
    return window


def _checked(kind: type[Keyed], raw: Mapping[str, Any], option: str, keys: Collection[str]) -> Keyed:
    """The typed keys. Raises UsageError for the first mistake."""
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        said_by = RUN_OPTIONS.get(key)
        remedy = f"It is set for a whole run, by {said_by}." if said_by else nearest(key, keys)
        raise UsageError(f"{option}: {key} is not a key of a case.", remedy)
    raise UsageError(f"{option} {key}={first['input']}: {wrong_value(first)}")


def _typed(key: str) -> str:
    return key.replace("_", "-")
