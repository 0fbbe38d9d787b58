"""Selection of cases to measure, from the names that a user types.

    plan(catalogue, ["paper", "bloom-3b"], Overrides(batch=8))

Precedence, from strongest to weakest: the command line, the suite's case, the model, the catalogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from bench.catalog.identity import VERSION, case_hash
from bench.catalog.loading import unknown
from bench.catalog.models import Catalogue, Measure, Model, Suite, SuiteCase, Work
from bench.catalog.prompts import prompts
from bench.catalog.variants import ways
from bench.core import modalities
from bench.core.modality import Dtype, Modality, Options, TorchOptions
from bench.core.weights import Weights, WeightsKind
from bench.core.workload import CLOSED, Workload
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

    @property
    def modality(self) -> Modality:
        """Modality of its model."""
        return modalities.get(self.model.engine)

    @property
    def label(self) -> str:
        """The case in words: `sdxl random weights bfloat16 batch 8 1024x1024 50 steps channels_last`."""
        origin = {"hub": "", "path": " local weights", "random": " random weights"}[self.weights.kind]
        work = f"{self.name}{origin} {self.dtype} batch {self.batch} {self.options.size}"
        return " ".join(filter(None, [work, *ways(dict(self.options)), self.workload.label]))

    def as_mapping(self) -> dict[str, Any]:
        """The case as in a record, hash included."""
        asked = prompts(self.model.engine)
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
        mapping |= {"toy": True} if self.model.toy else {}
        mapping["hash"] = case_hash(mapping)
        return mapping

    def with_batch(self, batch: int) -> Case:
        """The same case with another batch size: a different case with a different hash."""
        return replace(self, batch=batch)


@dataclass(frozen=True)
class Overrides:
    """Changes by the command line, for every case that they apply to."""

    work: Work = field(default_factory=Work)
    measure: Measure = field(default_factory=Measure)
    weights: WeightsKind | None = None
    weights_path: str | None = None


@dataclass(frozen=True)
class Planned:
    """A case and how it is to be measured."""

    case: Case
    measure: Measure


def plan(catalogue: Catalogue, names: list[str], overrides: Overrides) -> list[Planned]:
    """The cases behind suite and model names, in order, each once. Raises UsageError for unknown names."""
    planned: dict[str, Planned] = {}
    for name in names:
        for suite_name, suite, entry in _entries(catalogue, name):
            case = _case(catalogue, suite_name, suite, entry, overrides)
            of_suite = suite.measure if suite else None
            layers = [overrides.measure, entry.measure, of_suite, catalogue.defaults.measure]
            measure = Measure(**_first_set(Measure, layers))
            planned.setdefault(case.as_mapping()["hash"], Planned(case, measure))
    if overrides.weights == "path" and sum(1 for name in names for _ in _entries(catalogue, name)) != 1:
        raise UsageError("--weights path:DIR names one model's files.", "Name exactly one model with it.")
    _refuse_idle_keys(list(planned.values()), overrides.work)
    return list(planned.values())


def _entries(catalogue: Catalogue, name: str) -> list[tuple[str | None, Suite | None, SuiteCase]]:
    if name in catalogue.suites:
        suite = catalogue.suites[name]
        return [(name, suite, entry) for entry in suite.cases]
    if name in catalogue.models:
        return [(None, None, SuiteCase(model=name))]
    raise unknown("suite or model", name, [*catalogue.suites, *catalogue.models])


def _case(
    catalogue: Catalogue, suite_name: str | None, suite: Suite | None, entry: SuiteCase, overrides: Overrides
) -> Case:
    model = catalogue.models[entry.model]
    layers = [overrides.work, entry, model.defaults, catalogue.defaults.of(model.engine)]
    chosen = _first_set(Work, layers)
    kind = overrides.weights or entry.weights or (suite.weights if suite else None)
    if kind is None or (kind == "hub" and model.hub_id is None and overrides.weights is None):
        kind = "hub" if model.hub_id else "random"
    return Case(
        name=entry.model,
        model=model,
        weights=_weights(entry.model, model, kind, overrides.weights_path),
        dtype=chosen["dtype"],
        batch=chosen["batch"],
        seed=chosen["seed"],
        options=_options(entry.model, model, chosen),
        suite=suite_name,
        workload=chosen["workload"] or CLOSED,
    )


def _options(name: str, model: Model, chosen: dict[str, Any]) -> Options:
    """The options that the model's modality takes. Raises UsageError where one is needed and not chosen."""
    modality = modalities.get(model.engine)
    asked = {key: chosen[key] for key in modality.keys if chosen[key] is not None}
    stated = {key: getattr(model, key) for key in modality.options.of_model}
    try:
        return modality.options.model_validate(asked | stated)
    except ValidationError as error:
        missing = sorted(str(found["loc"][0]) for found in error.errors() if found["type"] == "missing")
        if not missing:
            raise
        raise _incomplete(name, modality, missing) from None


def _incomplete(name: str, modality: Modality, missing: list[str]) -> UsageError:
    """The error for a model that nothing gives these options."""
    flags = [flag.name for flag in modality.flags if set(missing).intersection(flag.keys)]
    give = f"Give {' and '.join(f'--{flag}' for flag in flags)}, or set" if flags else "Set"
    return UsageError(
        f'"{name}" has no {" or ".join(flags or missing)}.', f"{give} {', '.join(missing)} in models.yaml."
    )


def _weights(name: str, model: Model, kind: WeightsKind, path: str | None) -> Weights:
    if kind == "hub":
        if model.hub_id is None:
            raise UsageError(f'"{name}" has no weights on a hub.', "Use --weights random for it.")
        return Weights(kind="hub", hub_id=model.hub_id, revision=model.revision, variant=model.variant)
    if kind == "random":
        if model.architecture is None:
            raise UsageError(f'No architecture is stored for "{name}".', "Use --weights hub for it.")
        return Weights(kind="random", architecture=model.architecture)
    return Weights(kind="path", path=path)


def _first_set(kind: type[Work] | type[Measure], layers: Sequence[Work | Measure | None]) -> dict[str, Any]:
    """For each field of `kind` the first layer's value that is not `None`."""
    chosen: dict[str, Any] = {}
    for key in kind.model_fields:
        values = (getattr(layer, key) for layer in layers if layer is not None)
        chosen[key] = next((value for value in values if value is not None), None)
    return chosen


def _refuse_idle_keys(planned: list[Planned], asked: Work) -> None:
    """An option that changes none of the chosen cases is a mistake, not a wish."""
    taken = {key for item in planned for key in item.case.modality.keys}
    for modality in modalities.all_modalities():
        useless = sorted(modality.keys & asked.keys_set().keys() - taken)
        if useless:
            makers = [other for other in modalities.all_modalities() if useless[0] in other.keys]
            option = next((flag.name for flag in modality.flags if useless[0] in flag.keys), None)
            option = option or useless[0].replace("_", "-")
            made = " or ".join(maker.plural for maker in makers)
            raise UsageError(f"--{option} means nothing here: none of the chosen cases makes {made}.")
