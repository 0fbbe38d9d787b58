"""Fuzzing that keeps the inputs which reach new code (atheris, libFuzzer): for the most exposed readers.

for finding in guided(["record"], seconds=120, seed=1, tell=print): ...

Each reader has a process of its own, which libFuzzer ends.
Half of the inputs are changed as documents (`scripts.torture.mutants`), the others byte by byte.
"""

from __future__ import annotations

import contextlib
import importlib.util
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.errors import BenchError, PrerequisiteError

EXPOSED = ("models.yaml", "record", "trace of an agent", "answer of a server")
"""Readers of what is passed on most, and of what a server may answer at any moment."""
LONGEST_S = 20
MOST_MB = 500
LONGEST_INPUT = 50_000
DONE = re.compile(r"Done (\d+) runs|#(\d+)\s+DONE")
COVERED = re.compile(r"cov: (\d+)")


def guided(names: list[str], seconds: int, seed: int, tell: Callable[[str], object]) -> Iterator[str]:
    """Fuzz readers one after the other; yields what was found. Raises PrerequisiteError without atheris."""
    if importlib.util.find_spec("atheris") is None:
        raise PrerequisiteError(
            "Guided fuzzing needs atheris, which is not installed.", "Install it: pip install atheris"
        )
    for name in names:
        with tempfile.TemporaryDirectory(prefix="torture-") as folder:
            command = [sys.executable, "-m", "scripts.torture.guided", name, folder, str(seconds), str(seed)]
            done = subprocess.run(command, capture_output=True, check=False)
        said = done.stderr.decode("utf-8", "replace")
        if done.returncode:
            yield f"{name}: {_last_lines(said)}"
        runs, covered = DONE.findall(said), COVERED.findall(said)
        inputs = next((number for found in runs for number in found if number), "?")
        tell(f"{name:24} {inputs:>8} inputs, {covered[-1] if covered else '?':>6} places of the code reached")


def _last_lines(said: str) -> str:
    """The exception, which libFuzzer's summary follows."""
    at = said.rfind("=== Uncaught Python exception")
    return " ".join(said[at if at >= 0 else -500 :].split())[:500]


def _in_this_process(name: str, folder: Path, seconds: str, seed: str) -> None:
    """Fuzz one reader until its time is over. Never returns."""
    import atheris  # type: ignore[import-untyped]  # not among our dependencies

    with atheris.instrument_imports(include=["bench"]):
        from scripts.torture.mutants import mutant
        from scripts.torture.readers import READERS
    reader = READERS[name]
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, good in enumerate(reader.good(folder)):
        (corpus / str(number)).write_bytes(good)
    path = folder / f"input{reader.suffix}"

    def take(content: bytes) -> None:
        path.write_bytes(content)
        with contextlib.suppress(BenchError):
            reader.read(path)

    def change(content: bytes, most: int, number: int) -> bytes:
        chance = random.Random(number)
        if chance.random() < 0.5:
            try:
                return mutant(chance, content, reader.form)[:most]
            except Exception:  # noqa: BLE001, S110 - of a damaged document: it is changed as bytes
                pass
        changed: Any = atheris.Mutate(content, most)
        return bytes(changed)

    limits = [f"-max_total_time={seconds}", f"-timeout={LONGEST_S}", f"-rss_limit_mb={MOST_MB}"]
    options = [*limits, f"-max_len={LONGEST_INPUT}", f"-seed={seed}", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], str(corpus), *options], take, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    _in_this_process(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4])
