"""The shape of models.yaml: models, suites and defaults, strictly typed.

Unknown keys are refused and text is never taken for a number. A model says what it is and how it is
used by default; a suite lists cases; each case may change a default for itself.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Dtype = Literal["bfloat16", "float16", "float32"]
Attention = Literal["eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention"]
CompileMode = Literal["default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs"]
SdpaKernel = Literal["flash", "efficient", "cudnn", "math"]
PixelSize = Annotated[int, Field(ge=8, le=8192, multiple_of=8)]
Revision = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|main)$")]
WeightsKind = Literal["hub", "random"]


class Strict(BaseModel):
    """No unknown keys, no coercion, no NaN; a value cannot change after it is read."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, protected_namespaces=()
    )


class Work(Strict):
    """What a case may set for itself; `None` means the model's or the catalogue's default."""

    dtype: Dtype | None = None
    batch: Annotated[int, Field(gt=0, le=4096)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    attention: Attention | None = None
    compile: bool | None = None
    compile_mode: CompileMode | None = None
    sdpa_kernel: SdpaKernel | None = None
    new_tokens: Annotated[int, Field(gt=0, le=100_000)] | None = None
    static_cache: bool | None = None
    steps: Annotated[int, Field(gt=0, le=1000)] | None = None
    width: PixelSize | None = None
    height: PixelSize | None = None
    guidance: Annotated[float, Field(ge=0)] | None = None
    scheduler: str | None = None
    text_tokens: Annotated[int, Field(gt=0, le=4096)] | None = None
    """Length that prompts are padded or cut to; `None` for the pipeline's own."""
    channels_last: bool | None = None
    compile_blocks: bool | None = None
    fuse_qkv: bool | None = None


TEXT_KEYS = frozenset({"new_tokens", "static_cache"})
IMAGE_KEYS = frozenset(
    {
        "steps",
        "width",
        "height",
        "guidance",
        "scheduler",
        "text_tokens",
        "channels_last",
        "compile_blocks",
        "fuse_qkv",
    }
)
LATER_KEYS = frozenset({"text_tokens"})
"""Keys added after the first identities; unset, they are not part of a case, so earlier hashes stay."""


class Measure(Strict):
    """How a case is measured. Nothing here changes the work, so nothing here is in a case's hash.

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


class Model(Strict):
    """One open model: what it is, where its weights are, and how it is used by default.

    `memory_gb` is what the weights take in bf16 (10⁹ bytes, all components). `architecture` names a file
    in `bench/data/architectures` from which random weights can be made; `variant` is the hub's name for
    files of another precision. A `toy` shows that the whole path works: its joules are compared with nothing
    but its own.
    """

    engine: Literal["text", "image"]
    unit: Literal["page", "image"]
    family: str
    licence: str
    gated: bool
    parameters_b: Annotated[float, Field(gt=0)]
    memory_gb: Annotated[float, Field(gt=0)]
    hub_id: str | None = None
    revision: Revision | None = None
    variant: str | None = None
    architecture: str | None = None
    prompt_format: Literal["plain", "chat"] = "plain"
    toy: bool = False
    defaults: Work = Work()
    note: str | None = None


class SuiteCase(Work):
    """One entry of a suite: a model and what differs from its defaults."""

    model: str
    weights: WeightsKind | None = None
    measure: Measure = Measure()
    """How this case is measured, where it differs from its suite."""


class Suite(Strict):
    """A named list of cases measured in one go."""

    doc: str
    weights: WeightsKind = "hub"
    cases: Annotated[list[SuiteCase], Field(min_length=1)]
    measure: Measure = Measure()


class Defaults(Strict):
    """What holds where neither a case nor its model says otherwise."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    text: Work
    image: Work
    measure: Measure


class Catalogue(Strict):
    """The whole of models.yaml."""

    schema_version: Annotated[Literal[1], Field(alias="schema")]
    defaults: Defaults
    models: Annotated[dict[str, Model], Field(min_length=1)]
    suites: Annotated[dict[str, Suite], Field(min_length=1)]
