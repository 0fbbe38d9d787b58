"""Readers of files and answers from elsewhere, with good samples and all that is done with what was read.

READERS["record"].read(path)      # raises BenchError, and nothing else
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.catalog.cases import Overrides, plan
from bench.catalog.loading import load
from bench.catalog.prompts import _read as read_once
from bench.catalog.prompts import prompts
from bench.compare import accepted
from bench.compare.across import across
from bench.compare.latency_front import latency_fronts
from bench.compare.record_set import records_below
from bench.core.agent_trace import read_task
from bench.core.modalities.agent import AgentOptions
from bench.errors import UsageError
from bench.exports import foreign, tables
from bench.fleet.opening import open_package
from bench.fleet.package import packed
from bench.fleet.package_check import check
from bench.footprint.drafts import accepted as drafts
from bench.footprint.drafts.ratings import read_ratings
from bench.footprint.importers import Asked, imported
from bench.footprint.scenarios.build import build
from bench.footprint.scenarios.files import load as load_scenario
from bench.store import traces
from bench.view import terminal
from bench.view.record import sections
from bench.worker.serving import server_metrics
from bench.worker.serving.client import Answer, ServerClient
from bench.worker.serving.secrets import ApiKey
from scripts.torture.seeds import (
    CATALOGUE,
    CHANGE,
    DRAFTS,
    FOREIGN,
    HISTORY,
    LINES,
    METRICS,
    STREAM,
    TASKS,
)
from scripts.torture.verb_lines import read_by_a_verb
from tests.support.elsewhere import SCENARIO
from tests.support.sample import pair, run, save


@dataclass(frozen=True)
class Reader:
    """What is done with one kind of file."""

    suffix: str
    form: str
    """`json` and `yaml` are damaged as documents too, `values` within their types; others as bytes."""
    good: Callable[[Path], list[bytes]]
    """Good samples; files beside the one that is read may be made in the folder."""
    read: Callable[[Path], object]


def _json(*documents: Any) -> list[bytes]:
    return [json.dumps(document).encode() for document in documents]


def _records(folder: Path) -> list[bytes]:
    chance = random.Random(1)
    made = [run(300.0, chance), run(20.0, chance, tokens=340), *pair(300.0, 330.0, chance)]
    kept = [save(folder / "good" / "a.json", each).read_bytes() for each in made]
    return [*kept, *(path.read_bytes() for path in sorted(HISTORY.glob("*.json")))]


def _read_record(path: Path) -> None:
    found = records_below(path)
    for each in found.found:
        record = each.record
        "\n".join(terminal.lines(sections(record), terminal.Room(100, 100, False)))
        assert record.why or record.distinct_reasons is not None
    boards = across([found]).boards
    latency_fronts(boards)
    tables.as_csv(found.found)
    foreign.openmetrics(found.found)
    foreign.emissions_csv(found.found)
    foreign.model_card(found.found)


def _read_catalogue(path: Path) -> None:
    catalogue = load(path)
    for name in (*catalogue.suites, *catalogue.models):
        try:
            planned = plan(catalogue, [name], Overrides())
        except UsageError:
            continue
        assert all(item.case.as_mapping()["hash"] for item in planned)


def _traces(folder: Path) -> list[bytes]:
    chance = np.random.default_rng(1)
    t_ns = np.arange(1, 400, dtype=np.int64) * 20_000_000
    domain = "gpu:GPU-00000000-0000-4000-8000-000000000000"
    made = traces.Samples(domain, t_ns, {name: chance.random(t_ns.size) for name in traces.VALUES})
    path = folder / "good.parquet"
    traces.write(path, [made])
    content = path.read_bytes()
    path.unlink()
    return [content]


def _read_trace(path: Path) -> None:
    record = run(300.0, random.Random(1)).model_copy(update={"trace": path.name})
    traces.read(path.with_name("a.json"), record)


def _packages(folder: Path) -> list[bytes]:
    save(folder / "good" / "a.json", run(300.0, random.Random(1)))
    content = packed(records_below(folder / "good").found)
    (folder / "good" / "a.json").unlink()
    return [content]


def _read_package(path: Path) -> None:
    list(check(open_package(path)))


def _read_import(path: Path) -> None:
    imported(path, Asked())


def _read_lines(path: Path) -> None:
    imported(path, Asked(items=100, unit="image"))


def _read_scenario(path: Path) -> None:
    build(load_scenario(path))


def _read_stream(path: Path) -> None:
    """The events of a server's answer, and its picture."""
    client = ServerClient("http://localhost", ApiKey(), 1.0)
    answer = Answer(0, 1)
    text = path.read_bytes().decode("utf-8", "replace")
    for line in text.splitlines():
        if line.startswith("data:") and not client._take(answer, line[5:].strip()):
            break
    picture = Answer(1, 1, content=path.read_bytes())
    client._unpack(picture)
    assert picture.failure is not None or picture.content is not None


def _read_task(path: Path) -> None:
    read_task(path.read_bytes().decode("utf-8", "replace"))


def _read_prompts(path: Path) -> None:
    read_once.cache_clear()
    prompts("agent", AgentOptions(trace=str(path)))


def _ratings(folder: Path) -> list[bytes]:
    items = {f"item-{n}": {"record": "a.json", "output": f"{n}.txt"} for n in range(3)}
    (folder / "key.json").write_text(json.dumps({"schema": "joulebench/rating-key/1", "items": items}))
    return [b"item,accept,rater\nitem-0,yes,ann\nitem-1,no,ann\nitem-2,,bob\n"]


def _read_ratings(path: Path) -> None:
    read_ratings(path.with_name("key.json"), [path])


READERS = {
    "models.yaml": Reader(".yaml", "yaml", lambda _: [CATALOGUE.encode()], _read_catalogue),
    "record": Reader(".json", "json", _records, _read_record),
    "record, by a verb": Reader(".json", "values", _records, read_by_a_verb),
    "trace": Reader(".parquet", "bytes", _traces, _read_trace),
    "package": Reader(".zip", "bytes", _packages, _read_package),
    "import": Reader(".json", "json", lambda _: _json(*FOREIGN), _read_import),
    "import of lines": Reader(".csv", "bytes", lambda _: [LINES.encode()], _read_lines),
    "scenario": Reader(".yaml", "yaml", lambda _: [SCENARIO.encode()], _read_scenario),
    "answer of a server": Reader(".txt", "bytes", lambda _: [STREAM.encode()], _read_stream),
    "metrics": Reader(
        ".txt",
        "bytes",
        lambda _: [METRICS.encode()],
        lambda path: server_metrics.parse(path.read_bytes().decode("utf-8", "replace")),
    ),
    "task of an agent": Reader(".json", "json", lambda _: _json(*TASKS), _read_task),
    "trace of an agent": Reader(
        ".yaml", "yaml", lambda _: _json({"tasks": TASKS, "version": 1}), _read_prompts
    ),
    "ratings": Reader(".csv", "bytes", _ratings, _read_ratings),
    "accepted changes": Reader(".yaml", "yaml", lambda _: _json([CHANGE]), accepted.read),
    "account of drafts": Reader(".json", "json", lambda _: _json(DRAFTS), drafts.read),
}
