"""Errors, as sentences that a user can act on.

    BenchError             anything the user should read as one sentence; never shown with a traceback
     ├─ UsageError         what was asked for does not exist or makes no sense            exit 2
     ├─ CatalogError       models.yaml or a file beside it has a mistake, with file:line  exit 2
     ├─ PrerequisiteError  something this machine lacks: package, permission, disk, gate  exit 2
     ├─ MeterError         a reading could not be taken; carries the reason               exit 3
     ├─ EngineError        a model could not load or make output; carries the stage       exit 1
     └─ RecordError        a record cannot be read or is of an unknown schema             exit 2

Each carries what was seen (`message`) and the way out (`remedy`). Only `bench.cli` turns them into text
and exit statuses.
"""

from __future__ import annotations

INTERNAL_FAULT = 70
"""Exit status of a fault in this program: `EX_SOFTWARE` of sysexits.h, never 1, which a gate takes for a
regression."""


class BenchError(Exception):
    """One sentence about what was seen, and one about the way out."""

    exit_status = 1

    def __init__(self, message: str, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}" if self.remedy else self.message


class UsageError(BenchError):
    """A request for something that does not exist or makes no sense."""

    exit_status = 2


class CatalogError(BenchError):
    """A catalogue file has a mistake; the message names file, line and key."""

    exit_status = 2


class PrerequisiteError(BenchError):
    """This machine lacks something the run needs."""

    exit_status = 2


class MeterError(BenchError):
    """A reading could not be taken."""

    exit_status = 3


class RecordError(BenchError):
    """A record cannot be read."""

    exit_status = 2


class EngineError(BenchError):
    """A model could not be loaded or could not make its output.

    `stage` is one of `load`, `generate`, `finish`, or `killed`, `stopped` or `deadline` where that befell the
    worker;
    `out_of_memory` means that a smaller batch may work; `missing` that the machine lacks
    something the user can provide (a hub, a licence, a package), or that the case asks for what its model
    or device cannot do, so that the run ends with the status of wrong use.
    """

    exit_status = 1

    def __init__(
        self,
        message: str,
        remedy: str | None = None,
        *,
        stage: str = "load",
        out_of_memory: bool = False,
        missing: bool = False,
    ) -> None:
        super().__init__(message, remedy)
        self.stage = stage
        self.out_of_memory = out_of_memory
        self.missing = missing

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the pipe between the worker and its parent with all fields."""
        flags = (self.stage, self.out_of_memory, self.missing)
        return (_rebuild_engine_error, (self.message, self.remedy, *flags))


def _rebuild_engine_error(
    message: str, remedy: str | None, stage: str, out_of_memory: bool, missing: bool
) -> EngineError:
    return EngineError(message, remedy, stage=stage, out_of_memory=out_of_memory, missing=missing)
