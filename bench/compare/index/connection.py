"""A DuckDB connection whose work ends at Ctrl-C, at once and however long one piece of it takes.

    with connected({"threads": 2}) as connection:
        connection.execute("SELECT sum(a.range) FROM range(1000000) a, range(100000) b")

Called from the main thread, DuckDB looks for Ctrl-C only between pieces of work, and one piece of a join can
take hours. So statements run in a thread of their own, and the main one, which waits for it, sees Ctrl-C.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

import duckdb

T = TypeVar("T")

AGAIN_S = 0.05
"""A statement that had not begun when it was interrupted is interrupted again after so long."""


class Connection:
    """One connection; its calls wait for one another."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, thread: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._thread = thread

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the last answer's columns."""
        return tuple(column[0] for column in self._connection.description or ())

    def execute(self, sql: str | duckdb.Statement, values: object = None) -> Connection:
        """Run a statement. Raises duckdb.Error; KeyboardInterrupt ends it."""
        self._done(lambda: self._connection.execute(sql, values))
        return self

    def statements(self, sql: str) -> list[duckdb.Statement]:
        """The statements of a text, not run. Raises duckdb.Error."""
        return self._done(lambda: self._connection.extract_statements(sql))

    def fetchall(self) -> list[Any]:
        """All rows of the last answer."""
        return self._done(self._connection.fetchall)

    def fetchmany(self, rows: int) -> list[Any]:
        """The next rows of the last answer."""
        return self._done(lambda: self._connection.fetchmany(rows))

    def lay_in(self, name: str, columns: Mapping[str, Any]) -> None:
        """Make numpy columns readable as a table of that name."""
        self._done(lambda: self._connection.register(name, dict(columns)))

    def _done(self, call: Callable[[], T]) -> T:
        answer = self._thread.submit(call)
        try:
            return answer.result()
        except KeyboardInterrupt:
            while not answer.done():
                self._connection.interrupt()
                wait([answer], AGAIN_S)
            raise


@contextlib.contextmanager
def connected(settings: dict[str, str | int]) -> Iterator[Connection]:
    """A database in memory, for as long as the context lasts."""
    config: dict[str, Any] = dict(settings)
    with (
        duckdb.connect(":memory:", config=config) as connection,
        ThreadPoolExecutor(1, thread_name_prefix="duckdb") as thread,
    ):
        yield Connection(connection, thread)
