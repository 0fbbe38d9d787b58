"""The machine's locks for windows of a program's own work: shared by all meters of this process.

    lock = WindowLock(lock_names_of(gpus), results)
    ...
    lock.release()
    lock.other                      # "Process 7 (`run sdxl`, ...) is measuring on ..."

The work must go on, so nothing is refused: a window beside another measurement is invalid, with the reason.
The locks are held from the rest before a window to the room after it, and not between windows, so that a
program may keep a meter for days beside other measurements.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from bench.core.observed import Observed
from bench.errors import PrerequisiteError
from bench.machine.locks import exclusive_use


class _Held:
    """A lock of this process, and how many of its open windows need it."""

    def __init__(self, name: str, results: Path) -> None:
        self.notes: list[str] = []
        self.windows = 0
        self._lock = ExitStack()
        self._lock.enter_context(exclusive_use([name], results, self.notes.append, windows=True))

    def close(self) -> None:
        """Give it back."""
        self._lock.close()


_HELD: dict[str, _Held] = {}
_GUARD = threading.Lock()


def _forget() -> None:
    """In a fork: the locks are its parent's, which measures on."""
    global _GUARD
    _GUARD = threading.Lock()
    _HELD.clear()


os.register_at_fork(after_in_child=_forget)


class WindowLock:
    """Locks of one window, until `release`."""

    def __init__(self, names: Iterable[str], results: Path) -> None:
        self._taken: list[_Held] = []
        self._names = tuple(sorted(set(names)))
        self._other: str | None = None
        self._unlocked: list[str] = []
        try:
            with _GUARD:
                for name in self._names:
                    self._take(name, results)
        except BaseException:
            self.release()
            raise

    def _take(self, name: str, results: Path) -> None:
        if name not in _HELD:
            try:
                _HELD[name] = _Held(name, results)
            except PrerequisiteError as error:
                self._other = self._other or error.message
                return
        held = _HELD[name]
        held.windows += 1
        self._unlocked += held.notes
        self._taken.append(held)

    def release(self) -> None:
        """Give back what no other window of this process needs; once is enough."""
        with _GUARD:
            for held in self._taken:
                held.windows -= 1
            self._taken.clear()
            for name in self._names:
                if name in _HELD and not _HELD[name].windows:
                    _HELD.pop(name).close()

    @property
    def other(self) -> str | None:
        """Other measurements there, as far as that can be seen."""
        return self._other

    def add_to(self, observed: Observed) -> None:
        """Say of a block who else measured there, or why that is not known."""
        observed.other_measurement = self._other
        if self._unlocked and self._other is None:
            observed.absent = observed.absent | {"other_measurement": self._unlocked[0]}
