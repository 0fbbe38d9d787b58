"""Files read in full and checked, by several processes where they are many; what they give is JSON lines.

read(wanted, folder)          # leaves folder/files-0.jsonl, folder/records-0.jsonl, ... behind
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from pydantic_core import to_json

from bench.compare.index.files import Stamp
from bench.compare.index.tables import TABLES, rows_of
from bench.compare.record_files import text_of
from bench.errors import RecordError

CHUNK = 250
"""Files that one process reads at a time: a fifth of a second."""
WORTH_PROCESSES = 2000
"""Number of files below which starting processes costs more than they save."""
MOST_PROCESSES = 4
"""Each takes 90 MB."""


class Wanted(NamedTuple):
    """A file to read: its name in the index, its path, and the stamp it had before."""

    name: str
    path: str
    stamp: Stamp | None


def read(wanted: Sequence[Wanted], folder: Path) -> None:
    """Rows of all files as JSON lines in the folder."""
    chunks = list(enumerate(_chunks(wanted)))
    workers = min(MOST_PROCESSES, len(os.sched_getaffinity(0)))
    if len(wanted) < WORTH_PROCESSES or workers < 2:
        for number, chunk in chunks:
            _read_chunk(chunk, folder, number)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _in_worker, (os.getpid(),)) as pool:
        try:
            futures = [pool.submit(_read_chunk, chunk, folder, number) for number, chunk in chunks]
            for future in as_completed(futures):
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _chunks(wanted: Sequence[Wanted]) -> list[Sequence[Wanted]]:
    return [wanted[at : at + CHUNK] for at in range(0, len(wanted), CHUNK)]


def _read_chunk(chunk: Sequence[Wanted], folder: Path, number: int) -> None:
    lines: dict[str, list[bytes]] = {table: [] for table in TABLES}
    for name, path, stamp in chunk:
        stamp_fields = {} if stamp is None else stamp._asdict()
        for table, row in rows_of(path, _text(path)):
            kept = {"name": name} | row | (stamp_fields if table == "files" else {})
            lines[table].append(to_json(kept, inf_nan_mode="null"))
    for table, rows in lines.items():
        (folder / f"{table}-{number}.jsonl").write_bytes(b"".join(line + b"\n" for line in rows))


def _text(path: str) -> str | RecordError:
    try:
        return text_of(path)
    except RecordError as error:
        return error


def _in_worker(parent: int) -> None:
    """Leave Ctrl-C to the parent, and end when it has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
