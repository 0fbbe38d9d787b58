"""Finding of a check: one sentence about one thing, and the command that would improve it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from bench.errors import BenchError

State = Literal["ok", "warn", "missing", "info"]
"""`ok`: as it should be. `warn`: works, could be better. `missing`: not there. `info`: neither."""


@dataclass(frozen=True)
class Finding:
    """One line of the doctor.

    `subject` is what it is about (`NVIDIA`, `gpu 0`, `host`, ...), `command` what a person could type to
    improve it: the doctor itself changes nothing. Without what is `needed` no run can begin.
    """

    subject: str
    name: str
    state: State
    meaning: str
    command: str | None = None
    needed: bool = False

    @property
    def broken(self) -> bool:
        """Whether this alone keeps a run from beginning."""
        return self.needed and self.state == "missing"


Check = Callable[[], Iterable[Finding]]


def findings_of(subject: str, name: str, check: Check) -> Iterator[Finding]:
    """The findings of a check. One that fails is a finding, too, and the others still run."""
    try:
        yield from check()
    except BenchError as error:
        yield Finding(subject, name, "warn", str(error))
    except Exception as error:  # noqa: BLE001 - an unforeseen answer must not keep the other checks from running
        said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        yield Finding(subject, name, "warn", f"This could not be checked: {said}.")
