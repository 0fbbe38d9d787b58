"""Selection of cases to measure, from the names that a user types.

    plan(catalogue, ["paper", "bloom-3b"], Overrides(work=Work(batch=8)))
    plan(catalogue, ["bloom-3b"], Overrides(sweep=SweepAxes(batch=[1, 8, 32])))      # three cases

Precedence, from strongest to weakest: the command line, the suite's case, the model, the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.catalog import sweep
from bench.catalog.axes import Change, Exclusion, SweepAxes
from bench.catalog.case_pieces import first_set, on_hub, options_of, refuse_idle_keys, weights_of
from bench.catalog.case_place import CasePlace
from bench.catalog.identity import VERSION, case_hash
from bench.catalog.models import Catalogue, Measure, Model, Suite, SuiteCase, Work
from bench.catalog.prompts import prompts
from bench.catalog.variants import ways
from bench.core import modalities
from bench.core.modality import Dtype, Modality, Options, TorchOptions
from bench.core.near_names import unknown
from bench.core.sweep import Order, SweepPoint
from bench.core.weights import Weights, WeightsKind
from bench.core.workload import CLOSED, ENDPOINT, Workload
from bench.errors import UsageError


@dataclass(frozen=True)
class Case:
    """One model × weights × engine × precision × batch or load × output size."""

    name: str
    model: Model
    weights: Weights
    dtype: Dtype
    batch: int
    seed: int
    options: Options
    suite: str | None = None
    workload: Workload = CLOSED
    tokens_per_word: float | None = None
    """Only with random weights, whose output has no words to count: an assumed ratio."""
    parts: Mapping[str, CasePart] = field(default_factory=dict)
    """Of a case of several models: each by the name of its part."""
    replicas: int = 1
    """Copies of the model at work at once, each on cards of its own."""
    starts_server: bool = False
    """Whether the catalogue's command starts a server for it."""

    @property
    def modality(self) -> Modality:
        """Modality of its model."""
        return modalities.get(self.model.engine)

    @property
    def label(self) -> str:
        """The case in words: `sdxl random weights bfloat16 batch 8 1024x1024 50 steps channels_last`."""
        origin = {"hub": "", "path": " local weights", "random": " random weights"}[self.weights.kind]
        work = f"{self.name}{origin} {self.dtype} batch {self.batch} {self.options.size}"
        copies = f"{self.replicas} replicas" if self.replicas > 1 else ""
        return " ".join(filter(None, [work, *ways(dict(self.options)), copies, self.workload.label]))

    def as_mapping(self) -> dict[str, Any]:
        """The case as in a record, hash included."""
        asked = prompts(self.model.engine, self.options)
        options = self.options.identity()
        beside = {key: options.pop(key) for key in TorchOptions.model_fields if key in options}
        mapping: dict[str, Any] = {
            "model": self.name,
            "identity_version": VERSION,
            "engine": self.model.engine,
            "unit": self.model.unit,
            "words_per_unit": self.modality.words_per_unit,
            "tokens_per_word": self.tokens_per_word,
            "weights": self.weights.identity(),
            "dtype": self.dtype,
            "batch": self.batch,
            "seed": self.seed,
            "attention": None,
            "compile": None,
            "prompts": {"name": asked.name, "version": asked.version, "sha256": asked.sha256},
            "options": options,
        }
        mapping |= beside
        mapping |= self.workload.identity()
        mapping |= {"replicas": self.replicas} if self.replicas > 1 else {}
        if self.parts:
            mapping["parts"] = {name: part.identity() for name, part in self.parts.items()}
        if self.starts_server and self.model.serve is not None:
            mapping["server"] = {"command_sha256": self.model.serve.command_sha256}
        mapping |= {"toy": True} if self.model.toy else {}
        mapping["hash"] = case_hash(mapping)
        return mapping

    def values(self) -> dict[str, Any]:
        """Every key of the case with its value, as an exclusion names it."""
        own = {"dtype": self.dtype, "batch": self.batch, "seed": self.seed, "workload": self.workload}
        return own | {"replicas": self.replicas} | dict(self.options)

    def with_batch(self, batch: int) -> Case:
        """The same case with another batch size: a different case with a different hash."""
        return replace(self, batch=batch)


@dataclass(frozen=True)
class CasePart:
    """A model of a case of several, as it is by default, and the server that has it, if one does.

    How long its output is and how many items it makes at once is the whole case's matter.
    """

    case: Case
    endpoint: str | None = None

    def identity(self) -> dict[str, Any]:
        """What the whole case's hash is taken over; a server's URL is not in it."""
        options = self.case.options.identity()
        kept = {key: value for key, value in options.items() if key != "new_tokens"}
        where = {"producer": ENDPOINT} if self.endpoint else {}
        return {"model": self.case.name, "weights": self.case.weights.identity(), "options": kept} | where


@dataclass(frozen=True)
class Overrides:
    """Changes by the command line, for every case that they apply to."""

    work: Work = field(default_factory=Work)
    measure: Measure = field(default_factory=Measure)
    weights: WeightsKind | None = None
    weights_path: str | None = None
    sweep: SweepAxes = field(default_factory=SweepAxes)
    """Axes of every case that has such a key, in place of those of models.yaml."""
    exclude: tuple[Exclusion, ...] = ()
    order: Order | None = None
    """Of all cases of the run; `None` leaves those of a suite in the suite's order."""
    order_seed: int = 0
    attached: bool = False
    """Whether a server is asked that is up already, so that none is started by the catalogue's command."""


@dataclass(frozen=True)
class Planned:
    """A case and how it is to be measured."""

    case: Case
    measure: Measure
    sweep: SweepPoint | None = None
    """Its place in a sweep; `None` for a case that was named by itself or by a suite without axes."""
    place: CasePlace | None = None
    """Machines for it; `None` for any, as of a case that was named by itself."""


def plan(catalogue: Catalogue, names: list[str], overrides: Overrides) -> list[Planned]:
    """The cases behind suite and model names, in order, each once. Raises UsageError for unknown names."""
    groups = [_entries(catalogue, name, overrides) for name in names]
    entries = [entry for group in groups for entry in group]
    sweep.refuse_too_many([(sweep.size(entry.axes), entry.measure) for entry in entries])
    if overrides.weights == "path" and len(entries) != 1:
        raise UsageError("--weights path:DIR names one model's files.", "Name exactly one model with it.")
    planned: dict[str, Planned] = {}
    met: list[Exclusion] = []
    for group in groups:
        cases: dict[str, Planned] = {}
        for entry in group:
            for item in _cases(catalogue, entry, overrides, met):
                cases.setdefault(item.case.as_mapping()["hash"], item)
        for hashed, item in sweep.in_order(list(cases.items()), *group[0].order):
            planned.setdefault(hashed, item)
    chosen = list(planned.values())
    for name in (name for exclusion in overrides.exclude for name in exclusion.model):
        if name not in catalogue.models:
            raise unknown("model", name, catalogue.models)
    sweep.refuse_idle_exclusions(overrides.exclude, met, left=len(chosen))
    taken = {key for item in chosen for key in item.case.modality.keys}
    refuse_idle_keys(set(overrides.work.keys_set()) - taken, "--")
    refuse_idle_keys({key for change in _line_axes(overrides) for key in change} - taken, "--sweep ")
    if overrides.order is not None:
        chosen = sweep.in_order(chosen, overrides.order, overrides.order_seed)
    return [_at(item, number, len(chosen)) for number, item in enumerate(chosen, start=1)]


@dataclass(frozen=True)
class _Entry:
    """A model as a suite or the command line names it, with what is swept over."""

    case: SuiteCase
    suite_name: str | None
    suite: Suite | None
    axes: sweep.Axes
    measure: Measure
    order: tuple[Order, int]
    is_swept: bool
    place: CasePlace | None


def _entries(catalogue: Catalogue, name: str, overrides: Overrides) -> list[_Entry]:
    suite = catalogue.suites.get(name)
    if suite is None and name not in catalogue.models:
        raise unknown("suite or model", name, [*catalogue.suites, *catalogue.models])
    order: tuple[Order, int] = (suite.order, suite.order_seed) if suite else ("blocked", 0)
    line = overrides.sweep.changes()
    found = []
    for case in suite.cases if suite else [SuiteCase(model=name)]:
        layers = [overrides.measure, case.measure, suite.measure if suite else None]
        found.append(
            _Entry(
                case=case,
                suite_name=name if suite else None,
                suite=suite,
                axes=sweep.axes_of(suite, case, overrides.work, line, catalogue.models[case.model].engine),
                measure=Measure(**first_set(Measure, [*layers, catalogue.defaults.measure])),
                order=order,
                is_swept=bool(line or case.sweep.changes() or (suite and suite.sweep.changes()))
                or "interleaved" in (overrides.order, order[0]),
                place=case.place or (suite.place if suite else None),
            )
        )
    return found


def _cases(
    catalogue: Catalogue, entry: _Entry, overrides: Overrides, met: list[Exclusion]
) -> Iterator[Planned]:
    """The cases of an entry, without those that are excluded; `met` gains the exclusions that did so."""
    of_suite = entry.suite.exclude if entry.suite else ()
    exclusions = [*overrides.exclude, *entry.case.exclude, *of_suite]
    order, seed = (overrides.order, overrides.order_seed) if overrides.order else entry.order
    for point in sweep.points(entry.axes):
        case = _case(catalogue, entry, point, overrides)
        by = sweep.excluding(exclusions, case.name, case.values())
        met += by
        if not by:
            swept = SweepPoint(
                axes=point,
                order=order,
                order_seed=seed if order == "interleaved" else None,
                number=0,
                total=0,
            )
            yield Planned(case, entry.measure, swept if entry.is_swept else None, entry.place)


def _at(item: Planned, number: int, total: int) -> Planned:
    """The case with its place in the order of measuring."""
    if item.sweep is None:
        return item
    return replace(item, sweep=item.sweep.model_copy(update={"number": number, "total": total}))


def _case(catalogue: Catalogue, entry: _Entry, point: Change, overrides: Overrides) -> Case:
    name = entry.case.model
    model = catalogue.models[name]
    swept = Work.model_validate(point)
    layers = [swept, overrides.work, entry.case, model.defaults, catalogue.defaults.of(model.engine)]
    chosen = first_set(Work, layers)
    kind = overrides.weights or entry.case.weights or (entry.suite.weights if entry.suite else None)
    if kind is None or (kind == "hub" and not on_hub(catalogue, model) and overrides.weights is None):
        kind = "hub" if on_hub(catalogue, model) else "random"
    workload: Workload = chosen["workload"] or CLOSED
    has_command = model.serve is not None and model.serve.command is not None
    return Case(
        name=name,
        model=model,
        weights=weights_of(name, model, kind, overrides.weights_path),
        dtype=chosen["dtype"],
        batch=chosen["batch"],
        seed=chosen["seed"],
        options=options_of(name, model, chosen),
        suite=entry.suite_name,
        workload=workload,
        replicas=chosen["replicas"] or 1,
        starts_server=has_command and workload.producer == ENDPOINT and not overrides.attached,
        parts=_parts(catalogue, model, kind, overrides.weights_path, chosen),
    )


def _parts(
    catalogue: Catalogue, model: Model, kind: WeightsKind, path: str | None, chosen: Mapping[str, Any]
) -> dict[str, CasePart]:
    """The models of a case of several, each with its own defaults and the precision of the whole case."""
    found: dict[str, CasePart] = {}
    for name, part in (model.parts or {}).items():
        of = catalogue.models[part.model]
        own = first_set(Work, [of.defaults, catalogue.defaults.of(of.engine)])
        case = Case(
            name=part.model,
            model=of,
            weights=weights_of(part.model, of, kind, None if path is None else str(Path(path, name))),
            dtype=chosen["dtype"],
            batch=chosen["batch"],
            seed=chosen["seed"],
            options=options_of(part.model, of, own),
        )
        found[name] = CasePart(case, part.endpoint)
    return found


def _line_axes(overrides: Overrides) -> list[Change]:
    """What the axes of the command line set."""
    return [change for changes in overrides.sweep.changes().values() for change in changes]
