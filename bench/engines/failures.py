"""The one place where errors of torch, transformers, diffusers and the model hub become an EngineError.

    with translated("load", spec):
        model = AutoModelForCausalLM.from_pretrained(...)

The libraries wrap one another's errors (a refused licence arrives as a plain OSError), so the whole chain
of causes is looked at, the most telling one wins, and the user gets one sentence and the ways out.
"""

from __future__ import annotations

import errno
import socket
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from huggingface_hub import errors as hub

from bench.engines.base import EngineSpec, WeightsSpec
from bench.errors import BenchError, EngineError

_MEMORY_SENTENCES = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
)
_INSTEAD = "or measure its shape with --weights random, or a copy you have with --weights path:DIR."


@contextmanager
def translated(stage: str, spec: EngineSpec) -> Iterator[None]:
    """Let errors of the project pass, turn every other one into an EngineError of this stage."""
    try:
        yield
    except BenchError:
        raise
    except Exception as error:
        raise engine_error(error, stage, spec.model, spec.weights) from error


def engine_error(error: BaseException, stage: str, model: str, weights: WeightsSpec) -> EngineError:
    """What `error` means for someone who wanted to run `model`."""
    chain = list(_causes(error))
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
        for link in chain:
            found = _hub_error(link, weights)
            if found is not None:
                return found
    summary = " ".join(str(error).split())[:400]
    return EngineError(
        f"{model} failed in stage {stage}: {type(error).__name__}: {summary}",
        "Run again with --debug to see where.",
        stage=stage,
    )


def no_safetensors(where: str) -> EngineError:
    """A model whose weights are pickles: loading one can run any code, so none is loaded."""
    return EngineError(
        f"{where} lacks .safetensors weights, and pickled ones (.bin, .pt, .ckpt) are not loaded.",
        "Name a revision that holds .safetensors files, convert the model, or use --weights random.",
        missing=True,
    )


def _hub_error(error: BaseException, weights: WeightsSpec) -> EngineError | None:
    name, page = weights.hub_id, f"https://huggingface.co/{weights.hub_id}"
    # GatedRepoError is a kind of RepositoryNotFoundError, so it comes first.
    if isinstance(error, hub.GatedRepoError):
        return EngineError(
            f"{name} is gated: its licence has to be accepted before it can be downloaded.",
            f"Accept it at {page} and run: hf auth login; {_INSTEAD}",
            missing=True,
        )
    if isinstance(error, hub.RevisionNotFoundError):
        return EngineError(
            f"{name} has no revision {weights.revision!r}.",
            f"Choose one listed at {page}/commits/main.",
            missing=True,
        )
    if isinstance(error, hub.RepositoryNotFoundError):
        return EngineError(
            f"The model hub knows no model {name}, or it is private.",
            f"Check the name at {page}, and run hf auth login where it is private; {_INSTEAD}",
            missing=True,
        )
    if _is_unreachable(error):
        return EngineError(
            f"The model hub cannot be reached, and {name} is not complete in the local cache.",
            f"Download it where there is a connection (hf download {name}), log in with hf auth login where "
            f"{page} asks for a licence, {_INSTEAD}",
            missing=True,
        )
    return None


def unreachable(error: BaseException) -> bool:
    """Whether the error, or one behind it, says that the hub cannot be reached."""
    return any(_is_unreachable(link) for link in _causes(error))


def _is_unreachable(error: BaseException) -> bool:
    if isinstance(error, hub.OfflineModeIsEnabled | hub.LocalEntryNotFoundError):
        return True
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
        return True
    # The hub's client moved from httpx to httpx2, so its errors are known by module and name.
    return any(
        kind.__module__.startswith("httpx") and kind.__name__ == "TransportError"
        for kind in type(error).__mro__
    )


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _MEMORY_SENTENCES)


def _out_of_memory(error: BaseException, stage: str, model: str) -> EngineError:
    # The frames of the failed call still hold its tensors; without them the next, smaller try would fail too.
    for link in _causes(error):
        traceback.clear_frames(link.__traceback__)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return EngineError(
        f"{model} ran out of memory in stage {stage}.",
        "Use a smaller batch, a smaller dtype, or more devices.",
        stage=stage,
        out_of_memory=True,
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from, nearest first, each once."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__
