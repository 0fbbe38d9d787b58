"""YAML file with line numbers, so that a mistake can be shown at its place.

PyYAML forgets positions when it builds values and lets a second key silently replace the first. This
reader keeps both the values and the line of every key path and refuses duplicate and non-text keys. It
refuses what a catalogue does not need: anchors, which can blow a small file up into a large one, tags,
a second document, and nesting deeper than any catalogue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.resolver import Resolver

from bench.errors import CatalogError
from bench.streams import reading

KeyPath = tuple[str | int, ...]

MAX_BYTES = 400_000
"""A catalogue is written by hand; a larger file is a mistake (some other file was named)."""

REMEDY = "Name the catalogue with --models FILE, or run from a folder that has a models.yaml."
"""The way out where models.yaml cannot be read; another kind of file has another."""

MAX_DEPTH = 50
MAX_INTEGER = 2**63 - 1


@dataclass(frozen=True)
class YamlSource:
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


def read(path: Path, remedy: str = REMEDY) -> YamlSource:
    """Parse `path`. Raises CatalogError for anything that is not one clean YAML document."""
    text = _read_text(path, remedy)
    try:
        events = list(_only_what_is_used(yaml.parse(text, Loader=yaml.SafeLoader), path))
    except yaml.MarkedYAMLError as error:
        raise CatalogError(_not_yaml(error, path)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise CatalogError(f"{path}:{line}: not valid YAML: {str(error).splitlines()[0]}.") from error
    node = _Composer(events).get_single_node()
    if node is None:
        raise CatalogError(f"{path}:1: the file is empty.", remedy)
    lines: dict[KeyPath, int] = {}
    return YamlSource(path, _build(node, (), lines, path), lines)


class _Composer(Composer, Resolver):
    """Builds nodes of events that were read already: reading is what takes the time."""

    def __init__(self, events: Iterable[Any]) -> None:
        Composer.__init__(self)
        Resolver.__init__(self)
        self._events = deque(events)

    def check_event(self, *kinds: Any) -> bool:
        return isinstance(self._events[0], kinds)

    def peek_event(self) -> Any:
        return self._events[0]

    def get_event(self) -> Any:
        return self._events.popleft()


def _only_what_is_used(events: Iterable[Any], path: Path) -> Iterator[Any]:
    """The parser's events, looked at before anything is built from them and before anything recurses."""
    documents = depth = 0
    for event in events:
        place = f"{path}:{_line(event.start_mark)}"
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if documents > 1:
            raise CatalogError(f"{place}: a second document begins here.", "Remove the line `---`.")
        if depth > MAX_DEPTH:
            raise CatalogError(f"{place}: nested more than {MAX_DEPTH} deep.", "Is a bracket left open?")
        if getattr(event, "anchor", None) is not None:
            raise CatalogError(f"{place}: anchors and aliases (& and *) are not used here.", "Write it out.")
        if getattr(event, "tag", None) is not None:
            raise CatalogError(f"{place}: tags (!) are not used here.", "Remove it, or put it in quotes.")
        yield event


def _not_yaml(error: yaml.MarkedYAMLError, path: Path) -> str:
    """The parser's finding, and the beginning of the element that it was in."""
    line, began = _line(error.problem_mark or error.context_mark), _line(error.context_mark)
    since = ""
    if error.context and error.context_mark and began != line:
        since = f" ({error.context} that begins on line {began})"
    return f"{path}:{line}: not valid YAML: {error.problem or error.context}{since}."


def _line(mark: Any) -> int:
    """The line of a mark, of which PyYAML has two unrelated classes, or the first line."""
    return mark.line + 1 if mark else 1


def _read_text(path: Path, remedy: str) -> str:
    try:
        with reading(path) as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise CatalogError(f"{path}: more than {MAX_BYTES} bytes is too large for a catalogue.", remedy)
        return raw.decode()
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
    return _build_scalar(node, at, path)


def _build_scalar(node: yaml.Node, at: KeyPath, path: Path) -> Any:
    place = f"{path}:{node.start_mark.line + 1}: {show(at)}"
    constructor = yaml.SafeLoader("")
    try:
        value = constructor.construct_object(node)
        if isinstance(value, str):
            value.encode()  # half of a surrogate pair is text that can never be printed
    except (ValueError, yaml.YAMLError) as error:
        raise CatalogError(f"{place}: {brief(node.value)} is not a value YAML can read here.") from error
    finally:
        constructor.dispose()
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise CatalogError(f"{place}: {brief(node.value)} is too large a number.")
    return value


def _build_mapping(node: yaml.MappingNode, at: KeyPath, lines: dict[KeyPath, int], path: Path) -> Any:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        key = key_node.value
        if not isinstance(key_node, yaml.ScalarNode):
            raise CatalogError(f"{path}:{line}: a key under `{show(at)}` is a list or mapping, not text.")
        if key_node.tag != "tag:yaml.org,2002:str":
            raise CatalogError(
                f"{path}:{line}: the key {brief(key)} under `{show(at)}` is not text.", "Put it in quotes."
            )
        if key in result:
            first = lines[(*at, key)]
            raise CatalogError(
                f"{path}:{line}: the key `{show((*at, key))}` appears twice (first on line {first}).",
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
    return printable(text) or "the top level"


def brief(value: object) -> str:
    """A value as it is shown in a message: quoted, and cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def printable(text: str) -> str:
    """The text with line breaks, escapes and other characters that steer a terminal written out."""
    return "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in text)
