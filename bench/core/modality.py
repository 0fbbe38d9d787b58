"""Modality: the options of its cases, its unit, and how units are counted in its output.

A file of `bench/core/modalities` defines the type of its options and one `MODALITY`, and
`bench/engines/<name>.py` makes the output. Catalogue, command line, identity, record and worker go by these
two and branch on nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from bench.core.model import Strict

Attention = Literal["eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention"]
CompileMode = Literal["default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs"]
Dtype = Literal["bfloat16", "float16", "float32"]
Quantization = Literal["bnb-4bit", "bnb-8bit", "torchao-int8", "torchao-fp8"]
"""How the weights of linear layers are stored: NF4 or int8 of bitsandbytes, int8 or float8 of torchao."""
SdpaKernel = Literal["flash", "efficient", "cudnn", "math"]

# Options that several modalities have: one type each, because an option is one flag and one key of a case.
Guidance = Annotated[float, Field(ge=0)]
NewTokens = Annotated[int, Field(ge=1, le=100_000)]
ClipSeconds = Annotated[float, Field(gt=0, le=600)]
Steps = Annotated[int, Field(ge=1, le=1000)]


Keys = tuple[str, ...]


class Options(Strict, ABC):
    """Options of an item: keys of a case in models.yaml, arguments of its engine, and part of its identity.

    A name means the same in every modality that has it. `None` leaves the model's own default, which
    `LoadedModel.used` then reports.
    """

    only_if_set: ClassVar[frozenset[str]] = frozenset()
    """Options left out of a case where they are `false` or `None`, so that identities made before an option
    was added stay the same."""
    of_model: ClassVar[frozenset[str]] = frozenset()
    """Options that a model of the catalogue states, and no case."""
    variants: ClassVar[Keys] = ()
    """Options that change the joules and not the output, in the order in which a variant is named."""
    one_at_a_time: ClassVar[bool] = False
    """Whether the items of a batch are made one after another, so that one is in memory at a time."""

    @property
    @abstractmethod
    def size(self) -> str:
        """The size of an item in a label, such as `48 tokens`."""

    @property
    def largest_only(self) -> bool:
        """Whether the largest of a model's networks alone has to fit on the device, the others waiting."""
        return False

    def read_again_tokens(self, parts: int) -> int:
        """Tokens written by the models of a case of several that one of them has in its context at most."""
        del parts
        return 0

    def output_bytes(self, batch: int) -> int:
        """Device memory of a batch's output at least, beside the weights; 0 where it is little."""
        del batch
        return 0

    @property
    def prompt_file(self) -> str | None:
        """A file of `bench/data/prompts` in place of the modality's; `None` for that one."""
        return None

    def identity(self) -> dict[str, Any]:
        """The options that are part of a case, in the order of their definition."""
        return {key: value for key, value in self if value or key not in self.only_if_set}


class TorchOptions(Options):
    """Options of text and images: how torch computes. In a record these keys are beside `options`."""

    only_if_set: ClassVar[frozenset[str]] = frozenset({"compile_mode", "sdpa_kernel", "quantization"})
    variants: ClassVar[Keys] = ("attention", "sdpa_kernel", "compile", "compile_mode", "quantization")

    attention: Attention | None = None
    compile: bool = False
    compile_mode: CompileMode | None = None
    sdpa_kernel: SdpaKernel | None = None
    quantization: Quantization | None = None


class CountedOutput(NamedTuple):
    """Output of a block, an item in part where only a part of it was made in the window.

    `words` is `None` where one of its items has no countable words.
    """

    items: float
    tokens: float
    words: float | None
    seconds: float | None
    """Length of audio or video."""
    tokens_per_word: float | None
    """Assumed ratio of a model with random weights, whose output has no words."""
    prompt_tokens: float | None = None
    """Tokens that went in."""


class UnitCount(NamedTuple):
    """Units of a block; `None` where they cannot be counted."""

    units: float | None
    words: float | None = None
    words_kind: Literal["counted", "assumed"] | None = None


@dataclass(frozen=True)
class Flag:
    """An option of `bench run`: `--new-tokens`, or one that sets several options, such as `--size`.

    Its type and range are those of the option. `parse` makes the options of its text, or raises ValueError.
    """

    key: str
    help: str
    metavar: str | None = None
    sets: Keys = ()
    parse: Callable[[str], Mapping[str, Any]] | None = None

    @property
    def name(self) -> str:
        """As it is typed, without the dashes before it."""
        return self.key.replace("_", "-")

    @property
    def keys(self) -> Keys:
        """The options that it sets."""
        return self.sets or (self.key,)


QUANTIZATION = Flag("quantization", "store the weights of linear layers in fewer bits.")
"""Of every modality whose options are `TorchOptions`."""


class PartAlone(NamedTuple):
    """Case of one part by itself, which an item made by several models is set beside."""

    modality: str
    options: Mapping[str, Any]
    """Options that the case of the part has to have."""
    name: str
    """What the part makes by itself, such as `one answer`."""


@dataclass(frozen=True)
class Modality:
    """Everything that rooms need of one kind of output."""

    name: str
    """The `engine` of a model in models.yaml, and the module in `bench/engines` or the entry point."""
    order: int
    """Place in lists: text before images."""
    unit: str
    plural: str
    options: type[Options]
    count: Callable[[CountedOutput], UnitCount]
    prompts: str
    """A file of `bench/data/prompts`, or the whole path of one elsewhere."""
    packages: tuple[str, ...] = ()
    """Import names of the packages that the engine needs."""
    flags: tuple[Flag, ...] = ()
    defaults: frozenset[str] = frozenset()
    """Options that the catalogue's `defaults` must state."""
    words_per_unit: int | None = None
    part_alone: Callable[[Mapping[str, Any]], PartAlone] | None = None
    """Of the options of a case: what a part's joules by itself are measured by; `None` where nothing is."""
    per_token: bool = True
    """Whether all joules of a block are of its tokens: not of a chain, one part of which writes them."""

    @property
    def keys(self) -> frozenset[str]:
        """The options that a case may set."""
        return frozenset(self.options.model_fields) - self.options.of_model
