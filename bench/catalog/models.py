"""The shape of models.yaml: models, suites and defaults, strictly typed.

Unknown keys are refused and text is never taken for a number. A model has what it is and how it is
used by default; a suite lists cases; each case may change a default for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, Literal, Optional, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, create_model
from pydantic_core import PydanticKnownError

from bench.catalog.axes import Exclusions, SweepAxes
from bench.catalog.case_place import CasePlace
from bench.catalog.option_types import BatchSize, Replicas, Seed, option_types
from bench.catalog.server_spec import ServerSpec
from bench.core import modalities
from bench.core.modality import Dtype
from bench.core.model import Strict
from bench.core.sweep import Order
from bench.core.weights import WeightsComponent
from bench.core.workload import Workload

PinnedRevision = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|main)$")]
CatalogueWeights = Literal["hub", "random"]
"""Kinds of weights that a suite may ask for; a folder is named on the command line only."""
Read = TypeVar("Read", bound=BaseModel)


def _one_of(names: Collection[str]) -> BeforeValidator:
    """Refuse all but these names with the error of a `Literal`."""

    def check(value: Any) -> Any:
        if value not in names:
            raise PydanticKnownError("literal_error", {"expected": ", ".join(map(repr, names))})
        return value

    return BeforeValidator(check)


def _with_keys(keys: Mapping[str, Any]) -> Callable[[type[Read]], type[Read]]:
    """Add keys of these types to a model, each of which may be left out."""

    def add(model: type[Read]) -> type[Read]:
        fields: dict[str, Any] = {key: (Optional[kind], None) for key, kind in keys.items()}  # noqa: UP045
        return create_model(
            model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **fields
        )

    return add


@_with_keys(option_types())
class Work(Strict):
    """Keys that a case may set for itself, the options of all modalities among them.

    `None` means the model's or the catalogue's default.
    """

    dtype: Dtype | None = None
    batch: BatchSize | None = None
    seed: Seed | None = None
    workload: Workload | None = None
    replicas: Replicas | None = None
    """Copies of the model at work at once, each in a worker on cards of its own; `None` for one."""

    def keys_set(self) -> dict[str, Any]:
        """The keys that are not `None`."""
        return {key: value for key, value in self if value is not None}


class Measure(Strict):
    """Settings of a measurement. They do not change the work, so they are not in a case's hash.

    `target` is the half width of the 95 % interval of the headline figure relative to its value;
    `max_seconds` bounds the measured blocks of one case; all other fields are seconds too. Without
    `block_seconds` the length of blocks is chosen; `idle_seconds` is the longest look at idle. `quick` marks
    the records as a first look.
    """

    target: Annotated[float, Field(gt=0, lt=1)] | None = None
    max_seconds: Annotated[float, Field(gt=0)] | None = None
    block_seconds: Annotated[float, Field(gt=0)] | None = None
    idle_seconds: Annotated[float, Field(ge=1)] | None = None
    settle_seconds: Annotated[float, Field(ge=0)] | None = None
    warmup_max_seconds: Annotated[float, Field(gt=0)] | None = None
    cool_down_max_seconds: Annotated[float, Field(ge=0)] | None = None
    min_blocks: Annotated[int, Field(ge=5)] | None = None
    quick: bool | None = None
    restarts: Annotated[int, Field(ge=2, le=100)] | None = None
    """How many times a server that is started here is started and measured; `None` for once."""


class ModelPart(Strict):
    """A model that another entry is made with: an entry by its name, here or at a server of this machine."""

    model: str
    endpoint: Annotated[str, Field(pattern=r"^https?://[^\s@?#]+$")] | None = None
    """URL of a server that is up already, such as `http://localhost:8000/v1`; `None` loads the model here."""


class Model(Strict):
    """One open model: what it is, where its weights are, and how it is used by default.

    `memory_gb` is what the weights take in bf16 (10⁹ bytes, all components), `published_gb` what those of the
    hub take where they are of a smaller precision and stay so. `architecture` names a file
    in `bench/data/architectures` from which random weights can be made; `variant` is the hub's name for
    files of another precision. A `toy` shows that the whole path works: its joules are compared with nothing
    but its own.
    """

    engine: Annotated[str, _one_of(modalities.names())]
    """The name of a modality."""
    unit: Annotated[str, _one_of(modalities.units())]
    family: str
    licence: str
    gated: bool
    parameters_b: Annotated[float, Field(gt=0)]
    memory_gb: Annotated[float, Field(gt=0)]
    hub_id: str | None = None
    revision: PinnedRevision | None = None
    variant: str | None = None
    published_gb: Annotated[float, Field(gt=0)] | None = None
    components: dict[str, WeightsComponent] = Field(default_factory=dict)
    """Networks of the published model that other repositories have, by name."""
    architecture: str | None = None
    prompt_format: Literal["plain", "chat"] = "plain"
    toy: bool = False
    serve: ServerSpec | None = None
    parts: dict[str, ModelPart] | None = None
    """Of what several models make together: the entries that it is made with."""
    defaults: Work = Work()
    accept: list[str] | None = None
    """Checks of its outputs by `footprint drafts`, such as `length=200..300`; no part of a case."""
    note: str | None = None


class SuiteCase(Work):
    """One entry of a suite: a model and what differs from its defaults."""

    model: str
    weights: CatalogueWeights | None = None
    measure: Measure = Measure()
    """Settings of this case's measurement that differ from its suite's."""
    sweep: SweepAxes = SweepAxes()
    """Axes of this case; one that the suite has, too, is the case's."""
    exclude: Exclusions = ()
    place: CasePlace | None = None
    """In place of its suite's."""


class Suite(Strict):
    """A named list of cases measured in one go."""

    doc: str
    weights: CatalogueWeights = "hub"
    cases: Annotated[list[SuiteCase], Field(min_length=1)]
    measure: Measure = Measure()
    place: CasePlace | None = None
    """Machines for its cases; `None` for any."""
    sweep: SweepAxes = SweepAxes()
    """Axes of each of its cases, as far as it has such a key and does not set it."""
    exclude: Exclusions = ()
    order: Order = "blocked"
    order_seed: Seed = 0
    """What `interleaved` is drawn by."""


@_with_keys(dict.fromkeys(modalities.names(), Work))
class Defaults(Strict):
    """Defaults, which a case and its model override; cases by modality."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    measure: Measure

    def of(self, modality: str) -> Work | None:
        """The defaults of the cases of a modality; `None` where the catalogue has none."""
        found: Work | None = getattr(self, modality)
        return found


class Catalogue(Strict):
    """The whole of models.yaml."""

    schema_version: Annotated[Literal[1], Field(alias="schema")]
    defaults: Defaults
    models: Annotated[dict[str, Model], Field(min_length=1)]
    suites: dict[str, Suite] = Field(default_factory=dict)
