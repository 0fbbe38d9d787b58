"""The options of `bench run` that modalities define: `--new-tokens`, `--steps`, `--size`.

@modality_flags.add_flags
def command(**given): ...

modality_flags.keys_set(given)       # {"new_tokens": None, "steps": 4, "width": 64, "height": 64, ...}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from bench.cli import options
from bench.core import modalities
from bench.core.modality import Flag, Modality


def add_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `bench run` that are of some modalities, as decorators of the command."""
    for flag, makers in reversed(_flags().values()):
        command = _flag_option(flag, makers)(command)
    return command


def keys_set(given: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a case that these options set."""
    keys: dict[str, Any] = {}
    for flag, _ in _flags().values():
        value = given[flag.key]
        keys |= {flag.key: value} if flag.parse is None else value or {}
    return keys


def names() -> set[str]:
    """Names of the parameters of these options."""
    return set(_flags())


def _flags() -> dict[str, tuple[Flag, list[Modality]]]:
    """Each once, with the modalities that have it."""
    found: dict[str, tuple[Flag, list[Modality]]] = {}
    for modality in modalities.all_modalities():
        for flag in modality.flags:
            found.setdefault(flag.key, (flag, []))[1].append(modality)
    return found


def _flag_option(
    flag: Flag, makers: Sequence[Modality]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A click option with the type and range of the option that it sets."""
    about = f"{', '.join(maker.name for maker in makers).capitalize()}: {flag.help}"
    if flag.parse is not None:
        return click.option(f"--{flag.name}", callback=_parsed(flag.parse), metavar=flag.metavar, help=about)
    schema = makers[0].options.model_json_schema()["properties"][flag.key]
    schema = next((part for part in schema.get("anyOf", ()) if part["type"] != "null"), schema)
    if schema["type"] == "boolean":
        return click.option(f"--{flag.name}/--no-{flag.name}", default=None, help=about)
    return click.option(f"--{flag.name}", type=_click_type(schema), metavar=flag.metavar, help=about)


def _click_type(schema: Mapping[str, Any]) -> click.ParamType[Any]:
    """The type of a JSON schema of a number, a choice or a text."""
    least, most = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    match schema["type"]:
        case "integer":
            return click.IntRange(least, most, min_open="exclusiveMinimum" in schema)
        case "number":
            return options.Finite(least, most, min_open="exclusiveMinimum" in schema)
    return click.Choice(schema["enum"]) if "enum" in schema else click.STRING


def _parsed(
    parse: Callable[[str], Mapping[str, Any]],
) -> Callable[[click.Context, click.Parameter, str | None], Mapping[str, Any] | None]:
    """A callback that refuses what `parse` refuses."""

    def callback(
        _context: click.Context, _parameter: click.Parameter, value: str | None
    ) -> Mapping[str, Any] | None:
        try:
            return None if value is None else parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback
