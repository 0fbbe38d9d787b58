"""What is to be found out on a GPU, in parts that each end within minutes, in order of value.

A part is one command line of this project; nothing is measured by a second procedure. How long it takes is
estimated from parameter counts, generously: a part is begun only where its estimate fits into the time left.

    for part in parts(loading.load(Path("models.yaml"))):
        print(part.name, part.seconds, part.command)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.catalog.cases import Case, Overrides, Planned, plan
from bench.catalog.models import Catalogue, Measure, Work
from bench.catalog.variants import WAYS
from bench.engines import architectures
from bench.records.store import slug

SUITE, VARIANTS = "evidence", "variants"
ROUNDS = 2
"""How often the whole suite is measured, each time from a new start."""

BEFORE_CHECKS = 6
"""Cases of the first round that are worth more than what follows: peers, cost, and a case against itself."""

START_S, LOAD_S_PER_GB = 20.0, 0.5
"""A process with its imports and CUDA, and what filling a gigabyte of weights with random numbers takes."""
WARM_UP_BLOCKS, PAD_S = 1, 3.5
SHORT_BLOCKS = Measure(quick=True, block_seconds=10.0)
"""Of a variant's pair, so that it fits a call: a ratio on one card needs no more."""
COMPILE_S = 90.0
"""Until a compiled model has been compiled."""
PAIR_BLOCKS = 12
"""The fewest blocks of a pair: six of each side."""
TOKEN_S, GB_PER_S = 0.025, 3000.0
"""Launches of one decoding step (a few hundred kernels), and memory traffic well below a Hopper card's."""
FLOP_PER_S = 300e12
PATCH_PIXELS = 16
DENOISERS = ("transformer", "unet")
"""What runs every step: twice with guidance, unless that is an input of a model distilled with it."""

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

    @property
    def verb(self) -> str:
        """`run`, `calibrate`, ..., or the name of a probe."""
        return self.arguments[0] if self.module == BENCH else self.module.rpartition(".")[2]


def parts(catalogue: Catalogue, suite: str = SUITE) -> tuple[Part, ...]:
    """Every part, in the order in which they are done."""
    planned = plan(catalogue, [suite], Overrides())
    first, second = list(_cases(planned, 1)), _cases(planned, 2)
    variants = list(_variants(catalogue)) if VARIANTS in catalogue.suites else []
    return (
        *_looks(),
        *first[:BEFORE_CHECKS],
        *_checks(planned),
        *variants,
        *first[BEFORE_CHECKS:],
        *second,
    )


def _looks() -> Iterator[Part]:
    yield Part(
        "doctor",
        "what the machine can measure",
        45,
        BENCH,
        ("doctor", "--json"),
        keep="doctor.json",
        vital=True,
    )
    yield Part("calibrate", "how the card's sensor sees", 210, BENCH, ("calibrate",), keep="calibrate.txt")
    yield Part(
        "sensor",
        "counter against integrated power, loads at eight phases, fields by scope",
        180,
        "tests.evidence.sensor",
        (),
        keep="sensor.json",
    )
    yield Part(
        "ceilings",
        "what memory and matrix units reach at most",
        120,
        BENCH,
        ("ceilings", "--json"),
        keep="ceilings.json",
    )


def _checks(planned: Sequence[Planned]) -> Iterator[Part]:
    yield Part(
        "beside",
        "zeus and CodeCarbon over the same windows",
        270,
        "tests.evidence.beside",
        (),
        keep="beside.json",
    )
    yield Part(
        "cost", "the work with the meters on and off", 240, "tests.evidence.cost", (), keep="cost.json"
    )
    smallest = min(planned, key=lambda item: item.case.model.parameters_b)
    side = ",".join([smallest.case.name, f"batch={smallest.case.work.batch}"])
    yield Part(
        "aa",
        f"{smallest.case.name} against itself, in turns",
        _run_s(smallest, sides=2, blocks=PAIR_BLOCKS),
        BENCH,
        ("run", "--pair", side, side, *_measure(smallest), "--weights", "random"),
        measures=True,
    )


def _variants(catalogue: Catalogue) -> Iterator[Part]:
    """Each variant against the plain way of the same work, in turns: its ratio needs no second start."""
    plainly: dict[str, Work] = {}
    for item in plan(catalogue, [VARIANTS], Overrides(measure=SHORT_BLOCKS)):
        work = item.case.work
        plain = plainly.setdefault(item.case.name, work)  # a model's first entry in the suite
        pairs = [(key, getattr(work, key)) for key in WAYS if getattr(work, key) != getattr(plain, key)]
        ways = [f"{key}={str(value).lower()}" for key, value in pairs]
        if ways:
            yield Part(
                slug(f"{item.case.name} {' '.join(ways)}"),
                f"{item.case.name} plain and with {', '.join(ways)}, in turns",
                _run_s(item, sides=2, blocks=PAIR_BLOCKS) + COMPILE_S * ("compile=true" in ways),
                BENCH,
                (
                    "run",
                    "--pair",
                    item.case.name,
                    ",".join([item.case.name, *ways]),
                    *_measure(item),
                    "--weights",
                    "random",
                ),
                measures=True,
            )


def _cases(planned: Sequence[Planned], number: int) -> Iterator[Part]:
    for item in planned:
        label = item.case.label.replace(" random weights", "")
        yield Part(
            f"{slug(label)}-round-{number}",
            f"{label}, round {number} of {ROUNDS}",
            _run_s(item),
            BENCH,
            ("run", *arguments(item)),
            measures=True,
        )


def arguments(item: Planned) -> tuple[str, ...]:
    """The arguments of `bench run` that give this very case, measured as its suite says."""
    case, work = item.case, item.case.work
    chosen = ["--batch", str(work.batch), "--dtype", str(work.dtype)]
    if case.model.engine == "text":
        chosen += ["--new-tokens", str(work.new_tokens)]
    else:
        chosen += ["--steps", str(work.steps), "--size", f"{work.width}x{work.height}"]
    return (case.name, "--weights", case.weights.kind, *chosen, *_measure(item))


def _measure(item: Planned) -> tuple[str, ...]:
    asked = item.measure
    named = {
        "--target": asked.target,
        "--max-seconds": asked.max_seconds,
        "--block-seconds": asked.block_seconds,
        "--idle-seconds": asked.idle_seconds,
    }
    given = tuple(text for option, value in named.items() for text in (option, f"{value:g}"))
    return (*given, "--quick") if asked.quick else given


def _run_s(item: Planned, sides: int = 1, blocks: int | None = None) -> float:
    """Seconds of one `bench run` of one case: load, warm-up, two looks at idle, and its blocks."""
    measure, model = item.measure, item.case.model
    block_s = max(measure.block_seconds or 0.0, batch_s(item.case)) + PAD_S
    idle_s = 2 * ((measure.idle_seconds or 0.0) + (measure.settle_seconds or 0.0))
    windows = (blocks or measure.min_blocks or 5) + sides * WARM_UP_BLOCKS
    return START_S + sides * LOAD_S_PER_GB * model.memory_gb + idle_s + windows * block_s


def batch_s(case: Case) -> float:
    """Seconds of one batch: bytes over bandwidth for pages, operations over their rate for images."""
    work, billions = case.work, case.model.parameters_b
    batch = work.batch or 1
    if case.model.engine == "text":
        return (work.new_tokens or 0) * (TOKEN_S + 2 * billions / GB_PER_S)
    components = architectures.load(str(case.model.architecture)).components
    (denoiser,) = (part for part in components if part.name in DENOISERS)
    patches = (work.width or 0) * (work.height or 0) / PATCH_PIXELS**2
    guided = (work.guidance or 0) > 1 and not denoiser.config.get("guidance_embeds")
    passes = (work.steps or 1) * (2 if guided else 1)
    return batch * passes * 2 * denoiser.parameters * patches / FLOP_PER_S
