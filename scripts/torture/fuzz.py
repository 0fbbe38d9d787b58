"""Damaged files through every reader: each is read, or refused in a sentence, in time.

for finding in fuzz(inputs=100_000, seed=1, folder=folder): ...

A refusal is a `BenchError`. Any other exception, a reading of more than `LONGEST_S`, and a file that was made
beside the one that is read are findings.
"""

from __future__ import annotations

import contextlib
import io
import random
import resource
import signal
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from bench.errors import BenchError
from scripts.torture.mutants import mutant
from scripts.torture.readers import READERS, Reader

LONGEST_S = 20
"""Of the processor's time: readers wait for nothing, and a busy machine takes no time of this clock."""


@dataclass(frozen=True)
class Finding:
    """An input that was neither read nor refused as it should be."""

    reader: str
    number: int
    what: str

    def __str__(self) -> str:
        return f"{self.reader} {self.number}: {self.what}"


@dataclass
class Tally:
    """Numbers of one reader."""

    inputs: int = 0
    read: int = 0
    refused: int = 0
    findings: int = 0
    peak_mb: float = 0.0


class TooLongError(Exception):
    """A reading took more than `LONGEST_S`. Not a BenchError, so no reader takes it for one of its own."""


def fuzz(
    inputs: int, seed: int, folder: Path, tallies: dict[str, Tally], only: Sequence[str] | None = None
) -> Iterator[Finding]:
    """Put `inputs` damaged files through the readers, or some of them, in turns."""
    signal.signal(signal.SIGPROF, _too_long)
    readers = [(name, reader) for name, reader in READERS.items() if not only or name in only]
    good = {name: reader.good(_made(folder / name)) for name, reader in readers}
    for number in range(inputs):
        name, reader = readers[number % len(readers)]
        tally = tallies.setdefault(name, Tally())
        chance = random.Random(f"{seed}-{number}")
        finding = _one(reader, mutant(chance, chance.choice(good[name]), reader.form), folder / name, tally)
        if finding is not None:
            tally.findings += 1
            yield Finding(name, number, finding)


def _one(reader: Reader, content: bytes, folder: Path, tally: Tally) -> str | None:
    """What is wrong with how an input was taken; `None` where nothing is."""
    path = folder / f"input{reader.suffix}"
    path.write_bytes(content)
    before = set(folder.iterdir())
    tally.inputs += 1
    found: str | None = None
    signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            reader.read(path)
        tally.read += 1
    except BenchError as error:
        tally.refused += 1
        if not str(error).strip():
            found = "refused without a sentence"
    except TooLongError:
        found = f"took more than {LONGEST_S} s"
    except Exception as error:  # noqa: BLE001 - any other exception is what is looked for
        last = traceback.extract_tb(error.__traceback__)[-1]
        found = f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}: {str(error)[:100]!r}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    if found is None and (more := set(folder.iterdir()) - before):
        found = f"left {', '.join(sorted(each.name for each in more))}"
    tally.peak_mb = max(tally.peak_mb, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return found


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _too_long(_number: int, _frame: FrameType | None) -> None:
    raise TooLongError
