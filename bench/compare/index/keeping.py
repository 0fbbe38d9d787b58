"""Storage of an index: written whole beside the present one, which it then replaces."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from uuid import uuid4

import duckdb

from bench.compare.index.connection import Connection
from bench.compare.index.tables import TABLES

FOLDER, FILE = ".index", "records.duckdb"
LEFTOVER_S = 3600.0

ROOMS = ("core", "store", "stats", "catalog", "compare")
"""Rooms whose code decides what is in an index."""

Tell = Callable[[str], None]
"""Says a sentence to the person who waits."""


def create(connection: Connection, database: str) -> None:
    """Empty tables in an attached database."""
    for table, types in TABLES.items():
        columns = ", ".join(f"{name} {kind}" for name, kind in ({"name": "VARCHAR"} | types).items())
        connection.execute(f"CREATE TABLE {database}.{table} ({columns})")
    connection.execute(f"CREATE TABLE {database}.made (made_by VARCHAR)")


def keep(connection: Connection, folder: Path, tell: Tell) -> None:
    """Write everything beside the stored index and put it in its place; a folder that refuses is reported."""
    temporary = folder / f".{FILE}.{uuid4().hex}.tmp"
    if folder.is_symlink():  # it may have come with other people's records, and lead anywhere
        tell(_not_kept(folder, "it is a link"))
        return
    try:
        folder.mkdir(exist_ok=True)
        (folder / ".gitignore").write_text("*\n")
        _sweep(folder)
        connection.execute(f"ATTACH {quoted(str(temporary))} AS made")
        create(connection, "made")
        connection.execute("INSERT INTO made.made VALUES (?)", [made_by()])
        for table in TABLES:
            connection.execute(f"INSERT INTO made.{table} FROM all_{table}")
        connection.execute("DETACH made")
        os.replace(temporary, folder / FILE)
    except (OSError, duckdb.Error) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        tell(_not_kept(folder, reason))
    finally:
        connection.execute("DETACH DATABASE IF EXISTS made")
        for left in (temporary, Path(f"{temporary}.wal")):
            with contextlib.suppress(OSError):
                left.unlink()


def _not_kept(folder: Path, reason: str) -> str:
    return f"{folder}: the index cannot be kept ({reason}); every call reads all records anew."


def _sweep(folder: Path) -> None:
    """Remove what a killed process left behind."""
    for left in folder.glob(f".{FILE}.*.tmp*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFTOVER_S:
                left.unlink()


@cache
def made_by() -> str:
    """Digest of the code that makes an index: other code makes it anew."""
    rooms = (resources.files("bench") / room for room in ROOMS)
    files = (path for room in rooms for path in Path(str(room)).rglob("*.py"))
    sources = sorted((path.name, path.read_bytes()) for path in files)
    return hashlib.sha256(repr((duckdb.__version__, sources)).encode()).hexdigest()


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
