"""Shell completion of values: models and suites, records, papers, scenarios.

Functions for click's `shell_complete`. Verbs and options complete by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def models(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Models of the catalogue."""
    return _beginning(incomplete, _catalogue(ctx, "models"))


def models_and_suites(
    ctx: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Suites and models of the catalogue, without those that were typed already."""
    typed = ctx.params.get(str(parameter.name)) or ()
    names = [*_catalogue(ctx, "suites"), *_catalogue(ctx, "models")]
    return _beginning(incomplete, (name for name in names if name not in typed))


def files(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files and folders, by the shell itself: records are mostly named by path."""
    return [CompletionItem(incomplete, type="file")]


def names_or_files(names: Callable[[], Iterable[str]]) -> Completer:
    """Completion of an argument that takes a name of ours or a file."""

    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return _beginning(incomplete, names()) or files(ctx, parameter, incomplete)

    return complete


def _beginning(incomplete: str, names: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _catalogue(ctx: click.Context, key: str) -> Iterable[str]:
    """Names of a part of the catalogue, unchecked: libyaml reads the shipped one in 4 ms, `load` in 40 ms.

    Nothing where the file cannot be read: a traceback in the middle of a line that is being typed helps
    less than no proposal, and the command itself will report the fault of the file.
    """
    import yaml

    from bench.catalog.loading import find
    from bench.errors import CatalogError

    named = ctx.params.get("models")
    try:
        text = find(None if named is None else Path(named)).read_text(encoding="utf-8")
        content: Any = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError, CatalogError):
        return ()
    part = content.get(key) if isinstance(content, dict) else None
    return map(str, part) if isinstance(part, dict) else ()
