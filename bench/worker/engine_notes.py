"""Warnings of the engines, passed on by a worker to its parent while it loads a model.

with passing_on(connection):
    engine.load()           # a pause that the model hub asks for reaches the terminal at once
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

SOURCE = "bench.engines"
"""The logger whose warnings are meant for the user; what libraries log stays in the worker's log."""


class _PassingOn(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes a record to stderr, which is the worker's log, and sends it through the pipe until closed."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection: Connection | None = connection

    def emit(self, record: logging.LogRecord) -> None:
        """Called with the handler's lock held, also from the threads of a download."""
        super().emit(record)
        if self._connection is not None:
            self._connection.send(self.format(record))

    def close(self) -> None:
        """Send no more: the answer comes next."""
        with self.lock:  # type: ignore[union-attr]
            self._connection = None
        super().close()


@contextmanager
def passing_on(connection: Connection | None) -> Iterator[None]:
    """Send warnings of the engines as lines of text, or nothing without a connection."""
    if connection is None:
        yield
        return
    logger, handler = logging.getLogger(SOURCE), _PassingOn(connection)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
