"""The parts of the evidence from a GPU, each of which ends within minutes.

A part is one command line of this project, so measuring has one procedure. It is begun only where
its estimate fits into the time left.

    for part in parts(loading.load(Path("models.yaml")), memory_gb=80):
        print(part.name, part.seconds, part.arguments, part.left_out)
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bench.catalog.cases import Case, Overrides, Planned, plan
from bench.catalog.models import Catalogue, Measure
from bench.catalog.variants import WAYS, ways
from bench.core.modality import Options
from bench.store.results import slug
from scripts.evidence.estimates import needs_gb, run_s

SUITE, VARIANTS = "evidence", "variants"
ROUNDS = 2
"""How often the whole suite is measured, each time from a new start."""
PAIR_BLOCKS, PAIR_BLOCK_S = 12, 10.0
"""The fewest blocks of a pair, six of each side, and how long each is at most."""
CALL_MINUTES = 8.0
"""Length of a call, from the start of its script."""
START_UP_S = 40.0
"""What a call takes before its first part: pip, cold imports, the query for the card."""
RESULTS, TRIAL = "results", "trial"
"""Folders of records: those of measurements, and those of shortened cases, which no other folder takes in."""

BENCH = "bench"
"""The module that has every verb; a rehearsal puts one with known watts in its place."""


@dataclass(frozen=True)
class Part:
    """One command line: a module and its arguments. `keep` is the file its standard output is kept in."""

    name: str
    about: str
    seconds: float
    module: str
    arguments: tuple[str, ...]
    keep: str | None = None
    measures: bool = False
    """Whether records come of it."""
    vital: bool = False
    """Whether nothing after it makes sense where it fails."""
    memory_gb: float = 0.0
    """What it needs of the card's memory."""
    results: str = RESULTS
    """The folder of its records, below that of the work."""
    left_out: str | None = None
    """Why it is not done on this card at all."""

    @property
    def verb(self) -> str:
        """`run`, `calibrate`, ..., or the name of a probe."""
        return self.arguments[0] if self.module == BENCH else self.module.rpartition(".")[2]


def longest_s(minutes: float) -> float:
    """Seconds of the longest part that fits into a call."""
    return 60 * minutes - START_UP_S


def parts(
    catalogue: Catalogue, memory_gb: float | None = None, minutes: float = CALL_MINUTES
) -> tuple[Part, ...]:
    """Every part, in order of value; one beyond the card's memory or the call is left out with the reason."""
    planned = plan(catalogue, [SUITE], Overrides())
    variants = list(_variants(catalogue, planned)) if VARIANTS in catalogue.suites else []
    rounds = [part for number in range(1, ROUNDS + 1) for part in _cases(planned, number)]
    every = (*_looks(planned), *rounds, *_checks(planned), *variants)
    return tuple(replace(part, left_out=_why_not(part, memory_gb, minutes)) for part in every)


def _why_not(part: Part, memory_gb: float | None, minutes: float) -> str | None:
    if memory_gb is not None and part.memory_gb > memory_gb:
        return f"it needs {part.memory_gb:.0f} GB of memory, and the card has {memory_gb:.0f}"
    if part.seconds > longest_s(minutes):
        return f"it needs --minutes {call_minutes(part.seconds)}"
    return None


def call_minutes(seconds: float) -> int:
    """The `--minutes` of a call into which a part of this length fits."""
    return math.ceil((seconds + START_UP_S) / 60)


def _looks(planned: Sequence[Planned]) -> Iterator[Part]:
    """Parts about the machine and its sensor, before anything is measured."""
    yield _probe("access", "whether NVML and PyTorch see the card; versions", 20, vital=True)
    yield _probe("attention", "attention kernels with cuDNN's first and last", 40)
    yield _verb("doctor", "what the machine can measure", 35, "--json", keep="doctor.json")
    yield _probe("sensor-short", "the sensor in a minute", 50, "--seconds", "1", module="sensor")
    image = next((item for item in planned if item.case.model.engine == "image"), planned[0])
    yield Part(
        "first-case",
        f"{image.case.name} in short blocks, with every traceback",
        60 + run_s(image) / 3,
        BENCH,
        ("run", *_case(image), *FIRST_MEASURE, "--debug"),
        measures=True,
        memory_gb=needs_gb(image.case),
        results=TRIAL,
    )
    yield _probe("sensor", "counter against integrated power, loads at eight phases, fields by scope", 130)
    yield _verb("calibrate", "how the card's sensor sees", 180, keep="calibrate.txt")
    peaks = ("roofline", "peaks", "--json")
    about = "what memory and matrix units reach at most"
    yield Part("ceilings", about, 90, BENCH, peaks, keep="ceilings.json")


FIRST_MEASURE = (
    "--target",
    "0.5",
    "--max-seconds",
    "15",
    "--block-seconds",
    "3",
    "--idle",
    "2",
    "--quick",
)


def _probe(
    name: str, about: str, seconds: float, *arguments: str, module: str | None = None, vital: bool = False
) -> Part:
    where = f"scripts.evidence.{module or name}"
    return Part(name, about, seconds, where, arguments, keep=f"{name}.json", vital=vital)


def _verb(name: str, about: str, seconds: float, *arguments: str, keep: str) -> Part:
    return Part(name, about, seconds, BENCH, (name, *arguments), keep=keep)


def _checks(planned: Sequence[Planned]) -> Iterator[Part]:
    windows = ("--seconds", "10", "--windows", "3")
    yield _probe("beside", "zeus and CodeCarbon over the same windows", 90, *windows)
    yield _probe("cost", "the work with the meters on and off", 100, "--rounds", "6")
    images = [item for item in planned if item.case.model.engine == "image"] or list(planned)
    small = min(images, key=lambda item: item.case.model.parameters_b)
    side = ",".join([small.case.name, f"batch={small.case.batch}"])
    item = Planned(small.case, _pair_measure(small.case, planned))
    yield _pair_of("aa", f"{small.case.name} against itself, in turns", item, side, side)


def _pair_measure(case: Case, planned: Sequence[Planned]) -> Measure:
    """How a pair is measured: as the suite does a case of that kind, with blocks of `PAIR_BLOCK_S` at most.

    A ratio on one card needs no longer ones, and its time is up after the fewest blocks that a pair has.
    """
    like = [item for item in planned if item.case.model.engine == case.model.engine] or planned
    own = next((item for item in like if item.case.name == case.name), like[0]).measure
    block_s = min(PAIR_BLOCK_S, own.block_seconds or PAIR_BLOCK_S)
    return Measure(
        quick=True,
        block_seconds=block_s,
        idle_seconds=own.idle_seconds,
        settle_seconds=own.settle_seconds,
        max_seconds=PAIR_BLOCKS / 2 * block_s,  # of each side
    )


def _pair_of(name: str, about: str, item: Planned, side: str, other: str) -> Part:
    return Part(
        name,
        about,
        run_s(item, sides=2, blocks=PAIR_BLOCKS),
        BENCH,
        ("run", "--pair", side, other, *_measure(item), "--weights", "random"),
        measures=True,
        memory_gb=needs_gb(item.case, sides=2),
    )


def _variants(catalogue: Catalogue, planned_suite: Sequence[Planned]) -> Iterator[Part]:
    """Each variant against the plain way of the same work, in turns: its ratio needs no second start."""
    plainly: dict[str, Options] = {}
    for planned in plan(catalogue, [VARIANTS], Overrides()):
        item = Planned(planned.case, _pair_measure(planned.case, planned_suite))
        work, name = item.case.options, item.case.name
        plain = plainly.setdefault(name, work)  # a model's first entry in the suite
        differs = {key: value for key, value in work if key in WAYS and value != getattr(plain, key)}
        if differs:
            chosen = ",".join([name, *(f"{key}={str(value).lower()}" for key, value in differs.items())])
            about = f"{name} plain and with {', '.join(ways(differs))}, in turns"
            yield _pair_of(slug(f"{name} {' '.join(ways(differs))}"), about, item, name, chosen)


def _cases(planned: Sequence[Planned], number: int) -> Iterator[Part]:
    for item in planned:
        batch = item.case.batch
        size = f" batch {batch}" if batch > 1 else ""
        yield Part(
            f"{slug(item.case.name + size)}-round-{number}",
            f"{item.case.label.replace(' random weights', '')}, round {number} of {ROUNDS}",
            run_s(item),
            BENCH,
            ("run", *arguments(item)),
            measures=True,
            memory_gb=needs_gb(item.case),
        )


def arguments(item: Planned) -> tuple[str, ...]:
    """The arguments of `bench run` that give this very case, measured as in its suite."""
    return (*_case(item), *_measure(item))


def _case(item: Planned) -> tuple[str, ...]:
    case, work = item.case, dict(item.case.options)
    chosen = ["--batch", str(case.batch), "--dtype", case.dtype]
    if case.model.engine == "text":
        chosen += ["--new-tokens", str(work["new_tokens"])]
    else:
        chosen += ["--steps", str(work["steps"]), "--size", f"{work['width']}x{work['height']}"]
    return (case.name, "--weights", case.weights.kind, *chosen)


def _measure(item: Planned) -> tuple[str, ...]:
    asked = item.measure
    named = {
        "--target": asked.target,
        "--max-seconds": asked.max_seconds,
        "--block-seconds": asked.block_seconds,
        "--idle": asked.idle_seconds,
    }
    given = tuple(
        text for option, value in named.items() if value is not None for text in (option, f"{value:g}")
    )
    return (*given, "--quick") if asked.quick else given
