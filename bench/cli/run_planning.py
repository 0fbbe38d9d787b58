"""Plan of `bench run` from its options: which cases, by whose code, on which cards."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypedDict

from bench.catalog.cases import Planned
from bench.catalog.cases import plan as plan_cases
from bench.catalog.models import Catalogue
from bench.catalog.sweep import refuse_unasked
from bench.cli import pairing, sweep_options
from bench.cli.run_options import RunOptions
from bench.core import modalities
from bench.core.modality import Modality
from bench.core.near_names import unknown
from bench.errors import UsageError
from bench.machine import expected_gpus
from bench.machine.placement import place, visible_cards
from bench.measurement import possible_cases
from bench.measurement.case_plan import CasePlan, PairPlan
from bench.measurement.default_suite import default_suite, note_hidden_cards
from bench.measurement.possible_cases import PossibleCases
from bench.meters.nodes import address as nodes
from bench.worker import producers
from bench.worker.engine_spec import with_architecture
from bench.worker.serving import address

if TYPE_CHECKING:
    from bench.machine.expected_gpus import ExpectedGpus
    from bench.measurement.paired import PairSide
    from bench.meters.gpus import GpuDrivers
    from bench.worker.checkouts import Checkout


class _SharedSettings(TypedDict):
    """Settings of a plan, whether of cases or of pairs."""

    gpus: str | None
    device: Literal["auto", "cuda", "cpu"]
    country: str
    remote_code: frozenset[str]
    save_outputs: bool
    endpoint: str | None
    command: tuple[str, ...]
    expected_gpus: ExpectedGpus | None
    nodes: tuple[nodes.NodeAddress, ...]


def chosen_cases(
    catalogue: Catalogue,
    names: tuple[str, ...],
    asked: RunOptions,
    drivers: GpuDrivers,
    note: Callable[[str], None],
    *,
    of_checkouts: bool,
) -> PossibleCases:
    """The cases that were named, or the default suite, as far as models and machine can do them."""
    of_pair = asked.pair is not None and not of_checkouts
    overrides = sweep_options.with_sweep(asked, of_pair=of_pair, of=modalities_of(catalogue, names))
    placement = place(drivers, asked.gpus, asked.device)
    if asked.device != "cpu":
        note_hidden_cards(drivers, placement, note)
    if asked.pair is not None and not of_checkouts:
        sides = list(pairing.sides(catalogue, names, asked.pair, overrides, placement))
        for item in sides:
            possible_cases.check_options(item.case, placement)
        chosen = PossibleCases(sides, 0)
    else:
        named = list(names) or [default_suite(catalogue, drivers, placement, note)]
        times = 2 if of_checkouts else 1
        planned = plan_cases(catalogue, named, overrides)
        if any(item.sweep for item in planned) and not (asked.yes or asked.dry_run):
            refuse_unasked([item.measure for item in planned])
        # A server elsewhere draws on other cards than those of this machine.
        asked_here = planned if asked.endpoint is None else [replace(item, place=None) for item in planned]
        cards = [card.name for card in placement.named or visible_cards(drivers)]
        chosen = possible_cases.possible(
            asked.part.of(asked_here), placement, note, catalogue, times, cards=cards
        )
    cases = [replace(item, case=with_architecture(item.case)) for item in chosen.cases]
    return PossibleCases(cases, chosen.refused)


def modalities_of(catalogue: Catalogue, names: Sequence[str]) -> list[Modality]:
    """The modalities of the models that are named, by themselves or in a suite."""
    of_suites = [
        case.model for name in names if name in catalogue.suites for case in catalogue.suites[name].cases
    ]
    models = [catalogue.models[name] for name in (*names, *of_suites) if name in catalogue.models]
    return [modalities.get(engine) for engine in dict.fromkeys(model.engine for model in models)]


def check_endpoint(cases: Sequence[Planned], asked: RunOptions) -> None:
    """Raise UsageError for a URL that is none, may hold a secret, or would be asked by no case.

    With nodes of that server every case has to ask it, since what is made here draws on no node.
    """
    if asked.endpoint is None:
        return
    address.parse(asked.endpoint)
    here = [item.case for item in cases if not producers.of(item.case.workload).ASKS_SERVER]
    if len(here) == len(cases):
        raise UsageError(
            "--endpoint has no effect: none of the chosen cases asks a server.", "Add --workload single."
        )
    if here and asked.nodes:
        raise UsageError(
            f"--node: {here[0].label} asks no server.", "Add --workload single, or leave it out."
        )


def check_nodes(asked: RunOptions) -> None:
    """Raise UsageError where nodes are named without a server that is up, or beside cards of this machine."""
    if not asked.nodes:
        return
    nodes.parse(asked.nodes)
    if asked.endpoint is None:
        raise UsageError(
            "--node names nodes of a server that is up; one that is started here draws on this machine.",
            "Start the server, and add --endpoint URL.",
        )
    if asked.gpus is not None:
        raise UsageError(
            "--gpus names cards of this machine, and --node those of a server.", "Leave out --gpus."
        )
    if asked.pair is not None:
        raise UsageError("--node and --pair exclude each other.", "Measure both sides by themselves.")


def check_parallel(cases: Sequence[Planned], asked: RunOptions) -> None:
    """Raise UsageError where cases cannot be measured side by side: in turns, or asked at a server."""
    if not asked.parallel:
        return
    if asked.pair is not None:
        raise UsageError("--parallel and --pair exclude each other.", "A pair is measured in turns.")
    if not all(producers.of(item.case.workload).LOADS_HERE for item in cases):
        raise UsageError(
            "--parallel is for models that are loaded here, and a server has its own cards.",
            "Measure served cases in a run of their own.",
        )


def check_restarts(cases: Sequence[Planned], asked: RunOptions) -> None:
    """Raise UsageError where --restarts is asked of what is not started here, or of a pair."""
    if asked.restarts is None:
        return
    if asked.endpoint:
        raise UsageError(
            "--restarts has no effect on a server that is up already.",
            "Leave out --endpoint, and set `serve: {command: ...}` of the model in models.yaml.",
        )
    if asked.pair is not None:
        raise UsageError("--restarts and --pair exclude each other.", "Measure both sides by themselves.")
    if not all(producers.of(item.case.workload).STARTS_SERVER for item in cases):
        raise UsageError("--restarts is for cases that a server makes.", "Add --workload single.")


def remote_code(catalogue: Catalogue, names: Sequence[str]) -> frozenset[str]:
    """The models whose repositories' code may run. Raises UsageError for one that is not in the catalogue."""
    for name in names:
        if name not in catalogue.models:
            raise unknown("model", name, catalogue.models)
    return frozenset(names)


def plan_of(
    cases: list[Planned],
    checkouts: Mapping[PairSide, Checkout],
    country: str,
    remote_code: frozenset[str],
    asked: RunOptions,
) -> CasePlan | PairPlan:
    """The plan of these cases; with `--pair`, of their pairs, or of each by both checkouts' code."""
    shared = _SharedSettings(
        gpus=asked.gpus,
        device=asked.device,
        country=country,
        remote_code=remote_code,
        save_outputs=asked.save_outputs,
        endpoint=asked.endpoint,
        command=tuple(sys.argv[1:]),
        expected_gpus=expected_gpus.parse(asked.expected_gpus) if asked.expected_gpus else None,
        nodes=nodes.parse(asked.nodes),
    )
    if asked.pair is None:
        skip = sweep_options.skip_measured(asked.again)
        return CasePlan(tuple(cases), skip, asked.parallel, **shared)
    pairs = tuple((item, item) for item in cases) if checkouts else ((cases[0], cases[1]),)
    return PairPlan(pairs, checkouts, **shared)
