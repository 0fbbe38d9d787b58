"""Brings a causal language model and its tokenizer onto the devices, and reads back what was loaded.

loaded = load(spec, options)     # inside failures.translated("load", spec)
loaded.model.generate(...)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import torch
import transformers
from accelerate import dispatch_model, infer_auto_device_map
from accelerate.utils import get_balanced_memory
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.generation.configuration_utils import CompileConfig

from bench.core.modalities.text import TextOptions
from bench.engines.base import EngineSpec
from bench.engines.device import kernels, quantized
from bench.engines.device import placed as device
from bench.engines.language import stand_in_tokenizer
from bench.engines.language.reasoning import Markers, reasoning_of
from bench.engines.language.static_cache import StaticKeyValues
from bench.engines.limits import compiling, torch_options
from bench.engines.limits.refused import refused
from bench.engines.weights import architectures, hub, random_weights
from bench.errors import EngineError, UsageError


@dataclass(frozen=True)
class LoadedTextModel:
    """A model ready to generate. `used` goes into `LoadedModel.used`; a `cache` is static.

    `markers` are there where the model reasons before it writes.
    """

    model: Any
    tokenizer: Any
    revision: str
    used: dict[str, Any]
    cache: StaticKeyValues | None = None
    markers: Markers | None = None


def load(spec: EngineSpec, options: TextOptions) -> LoadedTextModel:
    """Load what `spec` names. Raises EngineError, or the libraries' own errors for `failures` to map."""
    device.require(spec.devices)
    compiling.check_mode(options, spec.devices)
    torch_options.check(options, spec.devices)
    quantized.require(options, spec.devices)
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if spec.weights.kind == "random":
        model, tokenizer, revision = _random(spec, options)
    else:
        model, tokenizer, revision = _published(spec, options)
    stored = quantized.quantise([model], options, spec)
    strays = device.strays([model], spec.devices)
    if strays:
        raise EngineError(
            f"{spec.model} does not fit: parts of it were put on {', '.join(sorted(strays))}.",
            "Use more devices or a smaller dtype; offloading is not measured.",
            out_of_memory=True,
        )
    if options.prompt_format == "chat" and not tokenizer.chat_template:
        raise refused(f"{spec.model} has no chat template.", "Use the prompt format plain.")
    reasoning, markers = reasoning_of(spec, options, tokenizer)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    # New tokens are appended on the right, so a shorter prompt is filled up on the left.
    tokenizer.padding_side = "left"
    ends = _end_ids(model, tokenizer) if spec.weights.kind != "random" else []
    model.generation_config = _generation(options, tokenizer.pad_token_id, ends, spec.devices)
    kept = StaticKeyValues(model) if options.static_cache else None
    with kernels.only(options.sdpa_kernel):
        cache = _cache_class(model, kept)
    if options.compile and not options.static_cache:
        # Only `forward`: hooks and the generation loop stay as they are.
        model.forward = torch.compile(model.forward, dynamic=True, mode=options.compile_mode)
    used = _used(spec, options, model, tokenizer, cache) | _variants(options, model) | stored | reasoning
    return LoadedTextModel(model, tokenizer, revision, used, kept, markers)


def _end_ids(model: Any, tokenizer: Any) -> list[int]:
    """Every token with which this model may end a text."""
    own = getattr(model.generation_config, "eos_token_id", None)
    ids = own if isinstance(own, list) else [own]
    return sorted({int(token) for token in (*ids, tokenizer.eos_token_id) if token is not None})


def _generation(
    options: TextOptions, pad: int, ends: list[int], devices: tuple[str, ...]
) -> GenerationConfig:
    """Settings under which exactly `new_tokens` come out, and all of them text.

    With a minimum as high as the maximum, `generate` gives the end tokens no chance: the model goes on
    writing where it would have stopped. The settings replace the model's own, which would otherwise fill in
    all that is left unset here. Without end tokens (random weights) nothing can stop earlier anyway.
    """
    generation = GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=options.new_tokens,
        min_new_tokens=options.new_tokens,
        do_sample=False,
        num_beams=1,
        use_cache=True,
        pad_token_id=pad,
        eos_token_id=ends or None,
        # A static cache alone makes `generate` compile on a GPU; here compiling is an option of its own.
        disable_compile=not (options.static_cache and options.compile),
    )
    if options.static_cache and options.compile:
        generation.compile_config = CompileConfig(mode=options.compile_mode or "reduce-overhead")
        generation.compile_config._compile_all_devices = devices[0] == "cpu"
    return generation


def _random(spec: EngineSpec, options: TextOptions) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, str]:
    name = spec.weights.architecture or ""
    shape = architectures.load(name)
    if shape.kind != "text":
        raise UsageError(f"{name} is not a text model.", "Choose an architecture of kind text.")
    (component,) = shape.components
    dtype: torch.dtype = getattr(torch, spec.dtype)
    model: Any = random_weights.empty(component, dtype, options.attention)
    if len(spec.devices) == 1:
        random_weights.fill(model, dtype, {"": quantized.home(options, spec.devices[0])}, spec.seed)
    else:
        device_map = _spread(model, dtype, spec.devices)
        random_weights.fill(model, dtype, device_map, spec.seed)
        model = dispatch_model(model, device_map)
    return model, stand_in_tokenizer.build(shape.tokenizers[0]), architectures.fingerprint(name)


def _spread(model: Any, dtype: torch.dtype, devices: tuple[str, ...]) -> dict[str, Any]:
    """Map modules to devices: whole blocks, about as many bytes on each."""
    apart = sorted(model._no_split_modules or ())
    memory = get_balanced_memory(
        model, device.free_memory(devices), no_split_module_classes=apart, dtype=dtype
    )
    placed: dict[str, Any] = infer_auto_device_map(
        model, max_memory=memory, no_split_module_classes=apart, dtype=dtype
    )
    if "disk" in placed.values() or "cpu" in placed.values():
        raise EngineError("The model does not fit on the devices.", "Use more devices.", out_of_memory=True)
    return placed


def _published(
    spec: EngineSpec, options: TextOptions
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, str]:
    found = hub.locate(spec)
    remote = {"trust_remote_code": spec.trust_remote_code, **found.arguments}
    placement: Mapping[str, Any] = {"device_map": {"": quantized.home(options, spec.devices[0])}}
    if len(spec.devices) > 1:
        placement = {"device_map": "balanced", "max_memory": device.free_memory(spec.devices)}
    if options.attention is not None:
        placement = {**placement, "attn_implementation": options.attention}
    if spec.weights.variant is not None:
        placement = {**placement, "variant": spec.weights.variant}
    with hub.downloading():
        tokenizer = AutoTokenizer.from_pretrained(found.name, **remote)
        config = AutoConfig.from_pretrained(found.name, **remote)
        # Some text models are published only as the language half of one that also sees.
        causal = type(config) in AutoModelForCausalLM._model_mapping or spec.trust_remote_code
        family: Any = AutoModelForCausalLM if causal else AutoModelForImageTextToText
        model: Any = family.from_pretrained(
            found.name, dtype=getattr(torch, spec.dtype), use_safetensors=True, **placement, **remote
        )
    model.eval()
    return model, tokenizer, found.revision


def _cache_class(model: Any, kept: StaticKeyValues | None) -> str:
    """The key-value cache that generation really uses, found by making two tokens."""
    own = {} if kept is None else {"past_key_values": kept.emptied(1, 3)}
    ids = torch.zeros((1, 1), dtype=torch.long, device=model.device)
    made = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=2,
        min_new_tokens=2,
        disable_compile=True,
        return_dict_in_generate=True,
        **own,
    )
    return type(made.past_key_values).__name__


def _variants(options: TextOptions, model: Any) -> dict[str, Any]:
    """The variants in force, by name, and nothing for the rest. Raises EngineError for one that cannot be."""
    used: dict[str, Any] = {}
    if options.compile_mode is not None:
        compiling.check_graphs_of_text(options.compile_mode, static_cache=options.static_cache)
        used["compile_mode"] = options.compile_mode
    if options.sdpa_kernel is not None:
        if model.config._attn_implementation != "sdpa":
            raise refused(
                "sdpa_kernel chooses among the kernels of sdpa, "
                f"and {model.config._attn_implementation} is used.",
                "Set attention: sdpa, or leave out sdpa_kernel.",
            )
        used["sdpa_kernel"] = kernels.enabled(options.sdpa_kernel)
    return used


def _attention(model: Any) -> str | None:
    """The implementation of attention; `None` of a model that has none in any layer."""
    layers = getattr(model.config.get_text_config(), "layer_types", None) or ("full_attention",)
    named: str = model.config._attn_implementation
    return named if any("linear" not in layer for layer in layers) else None


def _experts(model: Any) -> str | None:
    """How a mixture of experts is computed; `None` of a dense model."""
    config = model.config.get_text_config()
    chosen = getattr(config, "num_experts_per_tok", None)
    return str(getattr(config, "_experts_implementation", None)) if chosen else None


def _used(spec: EngineSpec, options: TextOptions, model: Any, tokenizer: Any, cache: str) -> dict[str, Any]:
    compiled = "decode step" if options.static_cache else "forward"
    used = {
        "model_class": type(model).__name__,
        "attention": _attention(model),
        "cache": cache,
        "compile": compiled if options.compile else None,
        "sampling": "greedy",
        "end_of_sequence": "never chosen",
        "cpu_threads": torch.get_num_threads(),
        "new_tokens": options.new_tokens,
        "prompt_format": options.prompt_format,
        "tokenizer": "stand-in" if spec.weights.kind == "random" else type(tokenizer).__name__,
        "vocabulary": model.config.get_text_config().vocab_size,
        "float32_matmul": device.float32_matmul(),
    }
    if experts := _experts(model):
        used["experts"] = experts
    if _attention(model) is None:
        # transformers takes the package where it can be imported, and its own slow reference where not.
        used["state_space"] = "mamba_ssm" if find_spec("mamba_ssm") else "torch reference"
    if len(spec.devices) > 1:
        used["device_map"] = {name: str(place) for name, place in model.hf_device_map.items()}
    return used
