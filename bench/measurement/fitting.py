"""Fit of a model into the memory of its devices."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from bench.catalog.cases import Case, Planned
from bench.catalog.prompts import prompts
from bench.core.modality import Quantization
from bench.engines.memory import BatchMemory, memory_of
from bench.engines.weights import architectures
from bench.errors import UsageError
from bench.machine.card_pool import Fits
from bench.machine.host_memory import host_memory_bytes
from bench.machine.placement import Placement, counted
from bench.machine.replica_cards import sharing
from bench.worker import producers

BYTES_PER_NUMBER = {"bfloat16": 2, "float16": 2, "float32": 4}
QUANTIZED_BYTES: dict[Quantization, float] = {
    "bnb-4bit": 0.5 + 4 / 64,
    "bnb-8bit": 1.0,
    "torchao-int8": 1.0,
    "torchao-fp8": 1.0,
}
"""Bytes a number; in 4 bits with a scale of four bytes for each 64, in 8 bits scales are below a percent."""

OVERHEAD = 1.15
"""Factor on the weights' memory for activations, before the batch counts; see `needed`."""
CHARACTERS_A_TOKEN = 4
"""Of English text."""
BASE_BYTES = 1_000_000_000
"""Memory of a process with its libraries, CUDA context and kernels beside the weights."""


class NeededMemory(NamedTuple):
    """Bytes that a case takes on its device at least."""

    weights: int
    """With a share for activations and what a process takes by itself."""
    keys_and_values: int = 0
    """Of the tokens that a batch writes; its prompts come on top."""
    output: int = 0
    """Finished output of a batch."""
    activations: int = 0
    """Of the largest layer of a batch, beyond the share for activations; gone when the output is finished."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.keys_and_values + max(self.output, self.activations)

    @property
    def large_parts(self) -> str:
        """What takes more than a tenth beside the weights: ` (88 GB of it for the finished output)`."""
        named = {
            "keys and values": self.keys_and_values,
            "the finished output": self.output if self.output >= self.activations else 0,
            "the largest layer": self.activations if self.activations > self.output else 0,
        }
        large = [f"{of / 1e9:.0f} GB of it for {name}" for name, of in named.items() if of > self.total / 10]
        return f" ({', '.join(large)})" if large else ""


def needed(case: Case) -> NeededMemory:
    """Memory that a case needs here at least.

    Nothing, where a producer has the model elsewhere. Raises UsageError without a producer for it.
    """
    if not producers.of(case.workload).LOADS_HERE:
        return NeededMemory(0)
    resident = _weight_bytes(case) * _resident_share(case)
    weights, share = round(resident * OVERHEAD + BASE_BYTES), round(resident * (OVERHEAD - 1))
    output, batch = case.options.output_bytes(case.batch), batch_memory(case)
    return NeededMemory(weights, batch.cache_bytes, output, max(0, batch.activation_bytes - share))


def needed_bytes(case: Case) -> int:
    """All of `needed`."""
    return needed(case).total


def _plain_bytes(case: Case) -> float:
    """All weights in the dtype of the case, or as they are published where they keep a smaller one.

    It is the host's memory that quantising them takes.
    """
    if _as_published(case):
        return (case.model.published_gb or 0.0) * 1e9
    return case.model.memory_gb * 1e9 * BYTES_PER_NUMBER[case.dtype] / 2


def _as_published(case: Case) -> bool:
    """Whether the weights keep the smaller precision that they have on the hub."""
    return case.weights.kind == "hub" and case.model.published_gb is not None


def _quantization(case: Case) -> Quantization | None:
    found: Quantization | None = getattr(case.options, "quantization", None)
    return found


def _weight_bytes(case: Case) -> float:
    """The weights as they are stored: quantised, all of them but those that keep their dtype."""
    method, plain = _quantization(case), _plain_bytes(case)
    if method is None:
        return plain
    numbers = case.model.memory_gb * 1e9 / 2
    kept = min(numbers, float(batch_memory(case).unquantized_numbers))
    return kept * BYTES_PER_NUMBER[case.dtype] + (numbers - kept) * QUANTIZED_BYTES[method]


def batch_memory(case: Case) -> BatchMemory:
    """What the shapes of its networks say; nothing where no architecture is stored."""
    if case.parts:
        return _largest_of_parts(case)
    if case.model.architecture is None:
        return BatchMemory()
    shape = architectures.load(case.model.architecture)
    return memory_of(case.options, shape, case.batch, BYTES_PER_NUMBER[case.dtype])


def _largest_of_parts(case: Case) -> BatchMemory:
    """Of the model with the largest keys and values: models of one case write one after the other."""
    prompt = max(map(len, prompts(case.model.engine, case.options).texts)) // CHARACTERS_A_TOKEN
    context = prompt + case.options.read_again_tokens(len(case.parts))
    items = 1 if case.options.one_at_a_time else case.batch
    found = []
    for part in (part for part in case.parts.values() if part.endpoint is None):
        options = part.case.options.model_copy(update={"new_tokens": context})
        found.append(batch_memory(replace(part.case, options=options, batch=items)))
    largest = max((each.cache_bytes for each in found), default=0)
    return BatchMemory(largest, 0, sum(each.unquantized_numbers for each in found))


def _resident_share(case: Case) -> float:
    """Share of the weights that are on the device at once: all, or those of the largest network."""
    name = case.model.architecture
    if not case.options.largest_only or name is None:
        return 1.0
    sizes = architectures.load(name).parameters.values()
    return max(sizes) / sum(sizes)


def host_bytes(case: Case) -> int:
    """Host memory that a case on cards takes at least, as forecast: a process with its libraries a replica.

    Weights that are quantised pass through it whole, in the dtype of the case; others go from their files to
    the cards a part at a time. Nothing, where a producer has the model elsewhere.
    """
    if not producers.of(case.workload).LOADS_HERE:
        return 0
    whole = 0.0 if _quantization(case) is None else _plain_bytes(case)
    return round(case.replicas * (BASE_BYTES + whole))


def available_bytes(placement: Placement) -> int:
    """Memory of the place: of the cards together, or of the host."""
    if placement.device == "cpu":
        return host_memory_bytes()
    totals = (gpu.identity().memory_bytes for gpu in placement.visible)
    return sum(int(total) for total in totals if total is not None)


def cards_of_case(case: Case, placement: Placement) -> Placement:
    """The place of a case: as many of the cards as its replicas share equally."""
    return sharing(placement, case.replicas, holding(case))


def holding(case: Case) -> Fits:
    """Question to ask of any place: whether a case fits there."""
    return lambda place: why_not(case, place) is None


def cards_of_pair(a: Case, b: Case, placement: Placement) -> Placement:
    """The place of both sides of a pair. Raises UsageError where one would have other cards than the other.

    Idle, cooling and joules of a pair are those of the cards that both sides have.
    """
    places = [cards_of_case(case, placement) for case in (a, b)]
    if places[0].visible != places[1].visible:
        of_a, of_b = (f"GPU {', '.join(str(gpu.index) for gpu in place.visible)}" for place in places)
        raise UsageError(
            f"A would be on {of_a} and B on {of_b}; a pair needs the same cards.",
            "Name other cards with --gpus or run each alone.",
        )
    return places[0]


def number_of_some(item: Planned, placement: Placement) -> int | None:
    """The number of cards of a case that uses some of a run's; `None` where it uses all of them."""
    cards = cards_of_case(item.case, placement).visible
    return None if cards == placement.visible else len(cards)


def on_several_cards(case: Case, placement: Placement) -> str | None:
    """Predicted memory of a case that several cards share, and where it is; `None` on one card or a CPU.

    `about 406 GB in bfloat16, spread over 8 × NVIDIA H100 80GB HBM3 (680 GB)`.
    """
    if placement.device == "cpu" or len(placement.visible) < 2 or not (total := needed_bytes(case)):
        return None
    share = cards_of_case(case, placement).shares(case.replicas)[0]
    cards = f"{counted(gpu.name for gpu in share.visible)} ({available_bytes(share) / 1e9:.0f} GB)"
    how = f"spread over {cards}" if len(share.visible) > 1 else f"on {cards}"
    each = f", each of {case.replicas} replicas" if case.replicas > 1 else ""
    return f"about {total / 1e9:.0f} GB in {case.dtype}{each} {how}"


def why_not(case: Case, placement: Placement, times: int = 1) -> str | None:
    """Reason why a case does not fit, loaded `times` times at once, in words; `None` if it does.

    Of replicas each has to fit its share of the cards; those on a CPU share all of its memory. Raises
    UsageError without a producer for it, and for fewer cards than replicas.
    """
    smallest = min(cards_of_case(case, placement).shares(case.replicas), key=available_bytes)
    if placement.device == "cpu":
        times *= case.replicas
    reason = _why_not(case, smallest, times)
    of_many = case.replicas > 1 and placement.device != "cpu"
    return f"{reason} for each replica" if reason and of_many else reason


def _why_not(case: Case, placement: Placement, times: int) -> str | None:
    parts = NeededMemory(*(of * times for of in needed(case)))
    have, method = available_bytes(placement), _quantization(case)
    stored = "as published" if _as_published(case) else f"in {case.dtype}"
    stored += "" if method is None else f" with {method}"
    if parts.total > have:
        many = placement.device == "cuda" and len(placement.visible) > 1
        place = (
            counted(gpu.name for gpu in placement.visible) if placement.device == "cuda" else "this machine"
        )
        at_once = f", loaded {times} times at once" if times > 1 else ""
        need = f"needs about {parts.total / 1e9:.0f} GB {stored}{at_once}{parts.large_parts}"
        return f"{need}, {place} {'have' if many else 'has'} {have / 1e9:.0f} GB"
    host, whole = host_memory_bytes(), _plain_bytes(case) * times
    if method is not None and parts.weights and whole > host:
        need = f"needs about {whole / 1e9:.0f} GB of the host's memory in {case.dtype} while it is quantised"
        return f"{need}, this machine has {host / 1e9:.0f} GB"
    return None
