"""Shell completion of values: models and suites, records by file or run id, papers, scenarios.

Functions for click's `shell_complete`. Verbs and options complete by themselves.
"""

from __future__ import annotations

import contextlib
import glob
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

RUN_ID = re.compile(r'"run_id": "([^"]+)"')
NEWEST_FILES = 500
"""Files that are read for run ids, so that a long folder does not delay the line that is typed."""

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


def records(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Run ids below `--results` and `latest`, where no file begins so; else files and folders."""
    if not incomplete or glob.glob(f"{glob.escape(incomplete)}*"):
        return files(ctx, parameter, incomplete)
    ids = _run_ids(Path(ctx.params.get("results") or "results")) if incomplete[0].isdigit() else ()
    return _beginning(incomplete, ("latest", *ids)) or files(ctx, parameter, incomplete)


def _run_ids(results: Path) -> Iterable[str]:
    """Ids in the newest record files; none of a file that is gone or may not be read."""
    newest = sorted(results.glob("**/*.json"), key=lambda file: file.name, reverse=True)[:NEWEST_FILES]
    found: dict[str, None] = {}
    for file in newest:
        with contextlib.suppress(OSError):
            text = file.read_text(encoding="utf-8", errors="replace")
            found |= dict.fromkeys(RUN_ID.findall(text))
    return found


def names_or_files(names: Callable[[], Iterable[str]]) -> Completer:
    """Completion of an argument that takes a name of ours or a file."""

    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return _beginning(incomplete, names()) or files(ctx, parameter, incomplete)

    return complete


def _beginning(incomplete: str, names: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _catalogue(ctx: click.Context, key: str) -> Iterable[str]:
    named = ctx.params.get("models")
    return map(str, catalogue_part(key, None if named is None else Path(named)))


def catalogue_part(key: str, named: Path | None = None) -> Mapping[Any, Any]:
    """A part of the catalogue, unchecked: libyaml reads the shipped one in 4 ms, `load` in 40 ms.

    Nothing where the file cannot be read: a traceback in the middle of a line that is being typed helps
    less than no proposal, and the command itself will report the fault of the file.
    """
    import yaml

    from bench.catalog.loading import find
    from bench.errors import CatalogError

    try:
        text = find(named).read_text(encoding="utf-8")
        content: Any = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError, CatalogError):
        return {}
    part = content.get(key) if isinstance(content, dict) else None
    return part if isinstance(part, dict) else {}
