"""Reference rows in files of their own: the same rows as the bundled published figures, and their sources.

    rows = read([Path("refs.yaml")])             # what `python -m bench footprint import` wrote
    rows.figures[0].system, rows.sources[rows.figures[0].source].citation

A reference row is never a measurement of ours: it is shown beside measured figures, unranked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from bench.core.untrusted import bounded, yaml_of
from bench.errors import RecordError
from bench.footprint.bundled_rows import FigureSource, Part, Published
from bench.footprint.reference import published
from bench.footprint.reference import sources as bundled_sources
from bench.streams import reading

SCHEMA: Literal["joulebench/references/1"] = "joulebench/references/1"
"""History: 1, the first."""
HEAD = (
    "# Reference rows: figures that other tools reported, not measurements of joulebench. Written by\n"
    "# `python -m bench footprint import`; `footprint published`, `report` and `compare --across-hardware`\n"
    "# take --references.\n"
)


class Stored(Part):
    """A file of reference rows."""

    schema_: Literal["joulebench/references/1"] = Field(default=SCHEMA, alias="schema")
    sources: dict[str, FigureSource]
    figures: tuple[Published, ...]

    @model_validator(mode="after")
    def _says_whose_they_are(self) -> Stored:
        known = bundled_sources()
        if taken := [key for key, source in self.sources.items() if known.get(key, source) != source]:
            raise ValueError(f"{taken[0]} is another source's key already")
        for row in self.figures:
            if row.source not in self.sources and row.source not in known:
                raise ValueError(f"the source of {row.id}, {row.source}, is not among them")
        return self


@dataclass(frozen=True)
class References:
    """Reference rows from files, and their sources by the key that rows have in `source`."""

    figures: tuple[Published, ...] = ()
    sources: Mapping[str, FigureSource] = field(default_factory=dict)


NO_REFERENCES = References()


def text_of(rows: References) -> str:
    """The rows as YAML, in the shape of the bundled figures."""
    stored = Stored(schema=SCHEMA, sources=dict(rows.sources), figures=rows.figures)
    plain = stored.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    listed: dict[str, Any] = {"schema": SCHEMA, "sources": plain["sources"], "figures": plain["figures"]}
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return HEAD + str(yaml.dump(listed, Dumper=dumper, sort_keys=False, allow_unicode=True, width=110))


def read(paths: Iterable[Path]) -> References:
    """The rows of several files; the same row twice counts once. Raises RecordError."""
    figures: dict[str, Published] = {row.id: row for row in published()}
    bundled = set(figures)
    sources: dict[str, FigureSource] = {}
    for path in paths:
        stored = _stored(path)
        sources |= stored.sources
        for row in stored.figures:
            if figures.setdefault(row.id, row) != row:
                raise RecordError(
                    f"{path}: another row is called {row.id} already.", "Give each row an id of its own."
                )
    return References(tuple(row for name, row in figures.items() if name not in bundled), sources)


def _stored(path: Path) -> Stored:
    try:
        content = yaml_of(decoded(read_bytes(path), path))
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            raise RecordError(
                f"{path}: it is not a file of reference rows.",
                f"`python -m bench footprint import {path} -o refs.yaml` makes one of another tool's file.",
            )
        return Stored.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"])) or "sources"
        raise RecordError(
            f"{path}: {at}: {first['msg'].removeprefix('Value error, ')}.",
            "`python -m bench footprint import` writes them.",
        ) from error
    except ValueError as error:
        raise RecordError(f"{path}: not YAML: {error}.") from error


def read_bytes(path: Path) -> bytes:
    """A whole file. Raises RecordError where it cannot be read, or is too large to be read here."""
    try:
        with reading(path) as file:
            return bounded(file)
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise RecordError(f"{path}: {error}.", "Cut it into parts.") from error


def decoded(content: bytes, path: Path) -> str:
    """Its text. Raises RecordError where it is none."""
    try:
        return content.decode("utf-8-sig")
    except ValueError as error:
        raise RecordError(f"{path}: not a text file: {error}.") from error
