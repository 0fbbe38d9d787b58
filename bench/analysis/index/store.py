"""The index of a folder of records: what choosing among many of them needs, without reading them again.

    with open_index(Path("results"), tell) as index:
        index.entries(), index.problems()

It is one DuckDB file, `.index/records.duckdb`, in the folder that was first asked about; folders below use
the same. It is never a second truth: a file is read anew as soon as its stamp is another, the records that
figures are made of are always read from their own files, and without the index everything comes out the same,
later. It is written whole beside itself and renamed, so that no reader ever sees half of it, and two writers
do not meet. Where the folder cannot be written, it lives as long as the command.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb

from bench.analysis.entries import Entry
from bench.analysis.index.files import Seen, Stamp, scan, uncollected
from bench.analysis.index.keeping import FILE, FOLDER, Tell, create, keep, made_by, quoted
from bench.analysis.index.reading import Wanted, read
from bench.analysis.index.tables import ENTRY_TYPES, TABLES

KEPT_FROM = 500
"""Files read anew from which on the index is written: fewer are read again in a third of a second."""
SAID_FROM = 2000
"""Files to read from which on that is said: it takes seconds."""
SETTINGS: dict[str, str | int] = {"threads": 2, "memory_limit": "256MB"}


class Index:
    """An index that is up to date with its folder, open for reading."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, seen: dict[str, Seen], prefix: str) -> None:
        self.connection = connection
        self.seen = seen
        self.prefix = prefix
        """What names of this folder's files begin with: it may lie below the one that has the index."""

    @uncollected()
    def entries(self) -> list[Entry]:
        """All whole records, in the order of their files; the same text in two files stands twice."""
        columns = ", ".join(ENTRY_TYPES)
        query = f"SELECT name, {columns} FROM all_entries WHERE starts_with(name, ?)"
        rows = self.connection.execute(query, [self.prefix]).fetchnumpy()
        by_name = {row[0]: row for row in zip(*(values.tolist() for values in rows.values()), strict=True)}
        return [
            Entry(seen.path, *row[1:])
            for name, seen in self.seen.items()
            if (row := by_name.get(name)) is not None
        ]

    def problems(self) -> list[str]:
        """A sentence for each file that is no whole record, in the order of files."""
        rows = self.connection.execute("SELECT name, problem FROM all_files WHERE problem IS NOT NULL")
        sentences = dict(rows.fetchall())
        return [seen.path + sentences[name] for name, seen in self.seen.items() if name in sentences]


@contextlib.contextmanager
def open_index(folder: Path, tell: Tell) -> Iterator[Index]:
    """Bring the index of a folder up to date, in memory and, where much is new, on disk."""
    home = _home(folder)
    inside = os.path.relpath(os.path.abspath(folder), home)
    prefix = "" if inside == "." else f"{inside}/"
    seen = scan(folder, prefix)
    with (
        _ctrl_c(),
        tempfile.TemporaryDirectory(prefix="joulebench-index-") as temporary,
        duckdb.connect(":memory:", config=SETTINGS | {"temp_directory": temporary}) as connection,
    ):
        _attach(connection, home / FOLDER / FILE)
        old = _stored(connection, prefix)
        trusted = {name for name, each in seen.items() if each.stamp and each.stamp == old.get(name)}
        new = [Wanted(name, *each) for name, each in seen.items() if name not in trusted]
        dropped = [name for name in old if name not in trusted]
        _read_anew(connection, new, dropped, Path(temporary), tell)
        if len(new) + len(dropped) >= KEPT_FROM:
            keep(connection, home / FOLDER, tell)
        yield Index(connection, seen, prefix)


@contextlib.contextmanager
def _ctrl_c() -> Iterator[None]:
    """DuckDB, when called from the main thread, tells of Ctrl-C by an error of its own."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise


def _home(folder: Path) -> Path:
    """The nearest folder above that has an index which is ours to trust, or else the folder itself."""
    here = Path(os.path.abspath(folder))
    trusted = {os.getuid(), here.stat().st_uid}
    for above in (here, *here.parents):
        with contextlib.suppress(OSError):
            if (above / FOLDER / FILE).stat().st_uid in trusted:
                return above
    return here


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """The stored index as `kept`; an empty one where there is none that this code wrote whole."""
    try:
        connection.execute(f"ATTACH {quoted(str(path))} AS kept (READ_ONLY)")
        if connection.execute("SELECT made_by FROM kept.made").fetchall() == [(made_by(),)]:
            return
    except duckdb.Error:  # none, or not ours: it is only a help, and made anew
        pass
    connection.execute("DETACH DATABASE IF EXISTS kept; ATTACH ':memory:' AS kept")
    create(connection, "kept")


@uncollected()
def _stored(connection: duckdb.DuckDBPyConnection, prefix: str) -> dict[str, Stamp]:
    """The stamps of all stored files below a folder."""
    columns = ", ".join(Stamp._fields)
    query = f"SELECT name, {columns} FROM kept.files WHERE starts_with(name, ?)"
    return {row[0]: Stamp(*row[1:]) for row in connection.execute(query, [prefix]).fetchall()}


def _read_anew(
    connection: duckdb.DuckDBPyConnection, new: list[Wanted], dropped: list[str], folder: Path, tell: Tell
) -> None:
    """Read what is new or another, and lay it over what is stored, less what is `dropped`."""
    if len(new) >= SAID_FROM:
        tell(f"Reading {len(new):,} records; the next time only those that changed.")
    read(new, folder)
    (folder / "dropped.jsonl").write_text("".join(json.dumps({"name": name}) + "\n" for name in dropped))
    connection.execute(f"CREATE TABLE dropped AS {_lines(folder / 'dropped.jsonl', {'name': 'VARCHAR'})}")
    for table, types in TABLES.items():
        fresh = f"FROM kept.{table} LIMIT 0"
        if new:
            fresh = _lines(folder / f"{table}-*.jsonl", {"name": "VARCHAR"} | types)
        connection.execute(f"CREATE TABLE fresh_{table} AS {fresh}")
        connection.execute(
            f"CREATE VIEW all_{table} AS FROM kept.{table} WHERE name NOT IN (FROM dropped) "
            f"UNION ALL FROM fresh_{table}"
        )


def _lines(path: Path, types: Mapping[str, str]) -> str:
    """The query that reads JSON lines."""
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in types.items())
    return f"FROM read_json({quoted(str(path))}, format = 'newline_delimited', columns = {{{columns}}})"
