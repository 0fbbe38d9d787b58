"""A YAML file with its line numbers, so that a mistake can be shown where it stands.

PyYAML forgets positions when it builds values and lets a second key silently replace the first. This
reader keeps both the values and the line of every key path, refuses duplicate and non-text keys, and
refuses anchors, which this catalogue does not need and which can blow a small file up into a large one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.errors import CatalogError

KeyPath = tuple[str | int, ...]

MAX_BYTES = 4_000_000
"""A catalogue is written by hand; a larger file is a mistake (some other file was named)."""


@dataclass(frozen=True)
class Source:
    """A parsed file: its plain values and the line of each key path."""

    path: Path
    value: Any
    lines: dict[KeyPath, int]

    def where(self, key_path: KeyPath) -> str:
        """`file:line` of the key path, or of the nearest thing around it."""
        for length in range(len(key_path), -1, -1):
            if (line := self.lines.get(key_path[:length])) is not None:
                return f"{self.path}:{line}"
        return f"{self.path}:1"


def read(path: Path) -> Source:
    """Parse `path`. Raises CatalogError for anything that is not one clean YAML document."""
    text = _read_text(path)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            raise CatalogError(f"{path}:1: the file is empty.", "Restore it, or name another with --models.")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise CatalogError(f"{path}: anchors and aliases (& and *) are not used here.", "Write it out.")
        lines: dict[KeyPath, int] = {}
        value = _build(node, (), lines, path)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise CatalogError(f"{path}:{line}: not valid YAML: {error.problem or error.context}.") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise CatalogError(f"{path}:1: not valid YAML: {str(error).splitlines()[0]}.") from error
    return Source(path, value, lines)


def _read_text(path: Path) -> str:
    remedy = "Name the catalogue with --models FILE, or run from a folder that has a models.yaml."
    try:
        if path.is_file() and path.stat().st_size > MAX_BYTES:
            raise CatalogError(f"{path}: {path.stat().st_size} bytes is too large for a catalogue.", remedy)
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CatalogError(f"{path}: no such file.", remedy) from None
    except UnicodeDecodeError as error:
        raise CatalogError(f"{path}: not a text file (byte {error.start} is not UTF-8).", remedy) from error
    except OSError as error:
        raise CatalogError(f"{path}: cannot be read: {error.strerror}.", remedy) from error


def _build(node: yaml.Node, at: KeyPath, lines: dict[KeyPath, int], path: Path) -> Any:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_build(child, (*at, index), lines, path) for index, child in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(node, at, lines, path)
    constructor = yaml.SafeLoader("")
    try:
        return constructor.construct_object(node)
    except (ValueError, yaml.YAMLError) as error:
        line = node.start_mark.line + 1
        raise CatalogError(f"{path}:{line}: {node.value!r} is not a value YAML can read here.") from error
    finally:
        constructor.dispose()


def _build_mapping(node: yaml.MappingNode, at: KeyPath, lines: dict[KeyPath, int], path: Path) -> Any:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        key = key_node.value
        if key_node.tag != "tag:yaml.org,2002:str":
            raise CatalogError(
                f"{path}:{line}: the key {key!r} under `{show(at)}` is not text.", "Put it in quotes."
            )
        if key in result:
            first = lines[(*at, key)]
            raise CatalogError(
                f"{path}:{line}: the key `{show((*at, key))}` stands twice (first on line {first}).",
                "Remove one of the two.",
            )
        lines[(*at, key)] = line
        result[key] = _build(value_node, (*at, key), lines, path)
    return result


def show(key_path: KeyPath) -> str:
    """A key path as a person writes it: `suites.paper.cases[2].batch`."""
    text = ""
    for part in key_path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text or "the top level"
