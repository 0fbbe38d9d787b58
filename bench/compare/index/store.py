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
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb

from bench.compare.index.connection import Connection, connected
from bench.compare.index.files import Scan, Stamp, scan
from bench.compare.index.keeping import FILE, FOLDER, Tell, create, keep, made_by, quoted
from bench.compare.index.reading import Wanted, read
from bench.compare.index.tables import ENTRY_TYPES, TABLES
from bench.compare.record_key import ALIKE, RecordKey

KEPT_FROM = 500
"""Files read anew from which on the index is written: fewer are read again in a third of a second."""
SAID_FROM = 2000
"""Number of files from which on reading is announced: it takes seconds."""
SETTINGS: dict[str, str | int] = {"threads": 2, "memory_limit": "256MB"}


class Index:
    """An index that is up to date with its folder, open for reading."""

    def __init__(self, connection: Connection, paths: Sequence[str], prefix: str) -> None:
        self.connection = connection
        self.paths = paths
        self.prefix = prefix
        """Prefix of the names of this folder's files, which may be below the one that has the index."""
        connection.execute(
            "CREATE VIEW listed AS SELECT position, all_entries.* FROM all_entries JOIN seen USING (name)"
        )
        connection.execute(
            "CREATE TABLE repeated AS SELECT position, first FROM listed JOIN "
            "(SELECT digest, min(position) AS first FROM listed GROUP BY digest HAVING count(*) > 1) "
            "USING (digest) WHERE position > first"
        )

    def entries(self, *, each_run: bool = False) -> list[RecordKey]:
        """The whole records that any choice may fall on, each text once, in the order of their files.

        Of records with equal keys, only the newest, with the number that it represents;
        `each_run` also separates their runs.
        """
        alike = ", ".join((*ALIKE, "run_id") if each_run else ALIKE)
        rows = self.connection.execute(
            "WITH once AS (FROM listed WHERE position NOT IN (SELECT position FROM repeated)), newest AS ("
            "SELECT max({'created': created, 'name': name, 'position': position}).position AS position, "
            "min(position) AS first, count(*) - 1 AS older "
            f"FROM once GROUP BY {alike}, CASE WHEN twin THEN position END) "
            f"SELECT position, {', '.join(ENTRY_TYPES)}, older FROM newest JOIN once USING (position) "
            "ORDER BY first"
        )
        return [RecordKey(self.paths[row[0]], *row[1:]) for row in rows.fetchall()]

    def repeated(self) -> list[tuple[str, str]]:
        """Each file with the same text as an earlier one, and that one."""
        rows = self.connection.execute("FROM repeated ORDER BY position").fetchall()
        return [(self.paths[position], self.paths[first]) for position, first in rows]

    def problems(self) -> list[str]:
        """A sentence for each file that is not a whole record, in the order of files."""
        rows = self.connection.execute(
            "SELECT position, problem FROM all_files JOIN seen USING (name) WHERE problem IS NOT NULL "
            "ORDER BY position"
        )
        return [self.paths[position] + sentence for position, sentence in rows.fetchall()]


@contextlib.contextmanager
def open_index(folder: Path, tell: Tell) -> Iterator[Index]:
    """Bring the index of a folder up to date, in memory and, where much is new, on disk."""
    home = _home(folder)
    inside = os.path.relpath(os.path.abspath(folder), home)
    prefix = "" if inside == "." else f"{inside}/"
    scanned = scan(folder, prefix)
    with (
        tempfile.TemporaryDirectory(prefix="joulebench-index-") as temporary,
        connected(SETTINGS | {"temp_directory": temporary}) as connection,
    ):
        _attach(connection, home / FOLDER / FILE)
        dropped = _laid_beside(connection, scanned, prefix)
        new = _untrusted(connection, scanned)
        _read_anew(connection, new, Path(temporary), tell)
        if len(new) + dropped >= KEPT_FROM:
            keep(connection, home / FOLDER, tell)
        yield Index(connection, scanned.paths, prefix)


def _home(folder: Path) -> Path:
    """The nearest folder above that has an index which is ours to trust, or else the folder itself."""
    here = Path(os.path.abspath(folder))
    trusted = {os.getuid(), here.stat().st_uid}
    for above in (here, *here.parents):
        with contextlib.suppress(OSError):
            if (above / FOLDER / FILE).stat().st_uid in trusted:
                return above
    return here


def _attach(connection: Connection, path: Path) -> None:
    """The stored index as `kept`; an empty one where there is none that this code wrote whole."""
    try:
        connection.execute(f"ATTACH {quoted(str(path))} AS kept (READ_ONLY)")
        if connection.execute("SELECT made_by FROM kept.made").fetchall() == [(made_by(),)]:
            return
    except duckdb.Error:  # none, or not ours: it is only a help, and made anew
        pass
    connection.execute("DETACH DATABASE IF EXISTS kept; ATTACH ':memory:' AS kept")
    create(connection, "kept")


def _laid_beside(connection: Connection, scanned: Scan, prefix: str) -> int:
    """The files as `seen`, those stored with the very same stamp as `trusted`, the rest stored as `dropped`.

    Returns how many are dropped.
    """
    connection.lay_in("columns", scanned.columns)
    stamp = ", ".join(Stamp._fields)
    known = ", ".join(f"CASE WHEN known THEN {name} END AS {name}" for name in Stamp._fields)
    connection.execute(f"CREATE TABLE seen AS SELECT position, name, {known} FROM columns")
    connection.execute(f"CREATE TABLE trusted AS SELECT name FROM seen JOIN kept.files USING (name, {stamp})")
    connection.execute(
        f"CREATE TABLE dropped AS SELECT name FROM kept.files WHERE starts_with(name, {quoted(prefix)}) "
        "AND name NOT IN (FROM trusted)"
    )
    return len(connection.execute("FROM dropped").fetchall())


def _untrusted(connection: Connection, scanned: Scan) -> list[Wanted]:
    """The files that are new or another."""
    rows = connection.execute(
        "SELECT position, name FROM seen WHERE name NOT IN (FROM trusted) ORDER BY position"
    )
    return [
        Wanted(name, scanned.paths[position], scanned.stamp(position)) for position, name in rows.fetchall()
    ]


def _read_anew(connection: Connection, new: list[Wanted], folder: Path, tell: Tell) -> None:
    """Read new and changed files and overlay them on the stored rows, without those in `dropped`."""
    if len(new) >= SAID_FROM:
        tell(f"Reading {len(new):,} records; the next time only those that changed.")
    read(new, folder)
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
