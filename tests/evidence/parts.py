"""What is to be found out on a GPU, in parts that each end within minutes.

A part is one command line of this project; nothing is measured by a second procedure. It is begun only where
its estimate fits into the time left.

    for part in parts(loading.load(Path("models.yaml")), memory_gb=80):
        print(part.name, part.seconds, part.arguments, part.left_out)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.catalog.cases import Overrides, Planned, plan
from bench.catalog.models import Catalogue, Work
from bench.catalog.variants import WAYS, ways
from bench.records.store import slug
from tests.evidence.estimates import needs_gb, run_s, short_blocks

SUITE, VARIANTS = "evidence", "variants"
ROUNDS = 2
"""How often the whole suite is measured, each time from a new start."""
PAIR_BLOCKS = 12
"""The fewest blocks of a pair: six of each side."""
LONGEST_S = 8 * 60.0
"""A part must end within one call."""

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
    left_out: str | None = None
    """Why it is not done on this card at all."""

    @property
    def verb(self) -> str:
        """`run`, `calibrate`, ..., or the name of a probe."""
        return self.arguments[0] if self.module == BENCH else self.module.rpartition(".")[2]


def parts(catalogue: Catalogue, memory_gb: float | None = None) -> tuple[Part, ...]:
    """Every part, in order of value; those that a card of `memory_gb` cannot do say why they are left out."""
    planned = plan(catalogue, [SUITE], Overrides())
    variants = list(_variants(catalogue)) if VARIANTS in catalogue.suites else []
    rounds = [part for number in range(1, ROUNDS + 1) for part in _cases(planned, number)]
    found = (*_looks(planned), *rounds, *_checks(planned), *variants)
    return tuple(_fitting(part, memory_gb) for part in found)


def _fitting(part: Part, memory_gb: float | None) -> Part:
    reason = None
    if part.seconds > LONGEST_S:
        reason = "it takes longer than one call may last"
    elif memory_gb is not None and part.memory_gb > memory_gb:
        reason = f"it needs {part.memory_gb:.0f} GB of memory, and the card has {memory_gb:.0f}"
    return part if reason is None else Part(**{**vars(part), "left_out": reason})


def _looks(planned: Sequence[Planned]) -> Iterator[Part]:
    """What is known of the machine and its sensor before anything is measured."""
    yield _probe("way", "whether NVML and PyTorch see the card; versions", 20, vital=True)
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
    )
    yield _probe("sensor", "counter against integrated power, loads at eight phases, fields by scope", 130)
    yield _verb("calibrate", "how the card's sensor sees", 180, keep="calibrate.txt")
    yield _verb("ceilings", "what memory and matrix units reach at most", 90, "--json", keep="ceilings.json")


FIRST_MEASURE = (
    "--target",
    "0.5",
    "--max-seconds",
    "15",
    "--block-seconds",
    "3",
    "--idle-seconds",
    "2",
    "--quick",
)


def _probe(
    name: str, about: str, seconds: float, *arguments: str, module: str | None = None, vital: bool = False
) -> Part:
    where = f"tests.evidence.{module or name}"
    return Part(name, about, seconds, where, arguments, keep=f"{name}.json", vital=vital)


def _verb(name: str, about: str, seconds: float, *arguments: str, keep: str) -> Part:
    return Part(name, about, seconds, BENCH, (name, *arguments), keep=keep)


def _checks(planned: Sequence[Planned]) -> Iterator[Part]:
    windows = ("--seconds", "10", "--windows", "3")
    yield _probe("beside", "zeus and CodeCarbon over the same windows", 90, *windows)
    yield _probe("cost", "the work with the meters on and off", 100, "--rounds", "6")
    images = [item for item in planned if item.case.model.engine == "image"] or list(planned)
    small = min(images, key=lambda item: item.case.model.parameters_b)
    side = ",".join([small.case.name, f"batch={small.case.work.batch}"])
    yield Part(
        "aa",
        f"{small.case.name} against itself, in turns",
        run_s(small, sides=2, blocks=PAIR_BLOCKS),
        BENCH,
        ("run", "--pair", side, side, *_measure(small), "--weights", "random"),
        measures=True,
        memory_gb=needs_gb(small.case, sides=2),
    )


def _variants(catalogue: Catalogue) -> Iterator[Part]:
    """Each variant against the plain way of the same work, in turns: its ratio needs no second start."""
    plainly: dict[str, Work] = {}
    for planned in plan(catalogue, [VARIANTS], Overrides()):
        item = Planned(planned.case, short_blocks(planned.case))
        work, name = item.case.work, item.case.name
        plain = plainly.setdefault(name, work)  # a model's first entry in the suite
        differs = {key: getattr(work, key) for key in WAYS if getattr(work, key) != getattr(plain, key)}
        if differs:
            chosen = ",".join([name, *(f"{key}={str(value).lower()}" for key, value in differs.items())])
            yield Part(
                slug(f"{name} {' '.join(ways(differs))}"),
                f"{name} plain and with {', '.join(ways(differs))}, in turns",
                run_s(item, sides=2, blocks=PAIR_BLOCKS),
                BENCH,
                ("run", "--pair", name, chosen, *_measure(item), "--weights", "random"),
                measures=True,
                memory_gb=needs_gb(item.case, sides=2),
            )


def _cases(planned: Sequence[Planned], number: int) -> Iterator[Part]:
    for item in planned:
        batch = item.case.work.batch or 1
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
    """The arguments of `bench run` that give this very case, measured as its suite says."""
    return (*_case(item), *_measure(item))


def _case(item: Planned) -> tuple[str, ...]:
    case, work = item.case, item.case.work
    chosen = ["--batch", str(work.batch), "--dtype", str(work.dtype)]
    if case.model.engine == "text":
        chosen += ["--new-tokens", str(work.new_tokens)]
    else:
        chosen += ["--steps", str(work.steps), "--size", f"{work.width}x{work.height}"]
    return (case.name, "--weights", case.weights.kind, *chosen)


def _measure(item: Planned) -> tuple[str, ...]:
    asked = item.measure
    named = {
        "--target": asked.target,
        "--max-seconds": asked.max_seconds,
        "--block-seconds": asked.block_seconds,
        "--idle-seconds": asked.idle_seconds,
    }
    given = tuple(
        text for option, value in named.items() if value is not None for text in (option, f"{value:g}")
    )
    return (*given, "--quick") if asked.quick else given
