"""The one place where errors of torch, transformers, diffusers and the model hub become an EngineError.

    with translated("load", spec):
        model = AutoModelForCausalLM.from_pretrained(...)

The libraries wrap one another's errors (a refused licence arrives as a plain OSError), so the whole chain
of causes is looked at, the most telling one wins, and the user gets one sentence and the ways out.
"""

from __future__ import annotations

import errno
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from bench.core.weights import Weights
from bench.dependencies import install_command
from bench.engines.base import EngineSpec
from bench.engines.weights.hub_causes import causes
from bench.engines.weights.hub_errors import hub_error
from bench.engines.weights.weight_files import no_safetensors
from bench.errors import BenchError, EngineError

_MEMORY_SENTENCES = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "size calculation overflowed",
)


@contextmanager
def translated(stage: str, spec: EngineSpec) -> Iterator[None]:
    """Let errors of the project pass, turn every other one into an EngineError of this stage."""
    try:
        yield
    except BenchError:
        raise
    except Exception as error:
        raise engine_error(error, stage, spec.model, spec.weights) from error


def engine_error(error: BaseException, stage: str, model: str, weights: Weights) -> EngineError:
    """Translate `error` for a user who wanted to run `model`."""
    chain = list(causes(error))
    if any(_is_out_of_memory(link) for link in chain):
        return _out_of_memory(error, stage, model)
    if any(isinstance(link, OSError) and link.errno == errno.ENOSPC for link in chain):
        return EngineError(
            f"The disk is full, so {model} could not be stored.",
            "Free some space, or set HF_HOME to a larger disk.",
            stage=stage,
            missing=True,
        )
    if any(
        isinstance(link, OSError) and "no file named" in str(link) and ".safetensors" in str(link)
        for link in chain
    ):
        return no_safetensors(weights.hub_id or weights.path or model)
    if weights.kind == "hub":
        found = hub_error(error, weights)
        if found is not None:
            return found
    if any(isinstance(link, ValueError) and "trust_remote_code" in str(link) for link in chain):
        return EngineError(
            f"{weights.hub_id or weights.path or model} needs code from its own repository to load.",
            "Read that code, then allow it with --allow-remote-code MODEL.",
            missing=True,
        )
    for link in chain:
        if (found := _of_model(link, stage, model)) is not None:
            return found
    return EngineError(
        f"{model} failed in stage {stage}: {type(error).__name__}: {_text(error)}",
        "Run again with --debug to see where.",
        stage=stage,
    )


def _of_model(error: BaseException, stage: str, model: str) -> EngineError | None:
    """Fault of the model or of the files beside it, for errors that name only the place in a library."""
    if isinstance(error, ImportError) and (package := _package(error)) is not None:
        return EngineError(
            f"{model} needs the package {package}, which is not installed here.",
            f"Install it with: {install_command(package)}",
            stage=stage,
            missing=True,
        )
    if isinstance(error, ImportError):
        return EngineError(
            f"{model} needs a package that cannot be imported here: {_text(error).rstrip('.')}.",
            "Install it, or measure weights that do not need it.",
            stage=stage,
            missing=True,
        )
    if any(kind.__name__ == "TemplateError" for kind in type(error).__mro__):  # of jinja2
        return EngineError(
            f"The chat template of {model} refuses the prompt: {_text(error).rstrip('.')}.",
            "Set prompt_format: plain for it in the catalogue (--models FILE).",
            stage=stage,
        )
    if type(error).__name__ == "SafetensorError":
        return EngineError(
            f"The weights of {model} cannot be read: {_text(error).rstrip('.')}.",
            "Download the model anew, or use --weights random.",
            stage=stage,
            missing=True,
        )
    if isinstance(error, IndexError) and "index out of range in self" in str(error):
        return EngineError(
            f"{model} has no embedding for a token of the prompt: its tokenizer has more tokens than it.",
            "Use the tokenizer that was published with these weights.",
            stage=stage,
        )
    return None


def _package(error: ImportError) -> str | None:
    """The package that is not installed: as Python names it, or as in a library's advice to install it."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return error.name.partition(".")[0]
    advice = re.search(r"pip install ([A-Za-z0-9][\w.\[\]-]*)", str(error))
    return advice[1] if advice else None


def _text(error: BaseException) -> str:
    return " ".join(str(error).split())[:400]


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _MEMORY_SENTENCES)


def _out_of_memory(error: BaseException, stage: str, model: str) -> EngineError:
    # Frames of the failed call still reference its tensors: until they go, a smaller try would fail too.
    for link in causes(error):
        traceback.clear_frames(link.__traceback__)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return EngineError(
        f"{model} ran out of memory in stage {stage}.",
        "Use a smaller batch, a smaller dtype, or more devices.",
        stage=stage,
        out_of_memory=True,
    )
