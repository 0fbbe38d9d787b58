"""Every foreign error that is known becomes one sentence with a way out."""

from __future__ import annotations

import errno
import pickle
import socket
from typing import Any

import pytest
import torch
from huggingface_hub import errors as hub_errors
from safetensors import SafetensorError

from bench.core.weights import Weights
from bench.dependencies import install_command
from bench.engines.device.failures import engine_error, translated
from bench.errors import EngineError, UsageError
from tests.engines.conftest import spec

HUB = Weights(kind="hub", hub_id="some/model", revision="main")
RANDOM = Weights(kind="random", architecture="tiny-llama")


def without_response(kind: type[Exception]) -> Exception:
    """An error of the hub's client as it is raised, without the HTTP answer its constructor wants."""
    error = kind.__new__(kind)
    error.args = ("401 Client Error",)
    return error


def transport_error() -> Exception:
    """What the HTTP client raises; its package is `httpx` or `httpx2`, whichever the hub's client uses."""
    base = type("TransportError", (Exception,), {"__module__": "httpx2"})
    return type("ConnectError", (base,), {"__module__": "httpx2"})("Name or service not known")  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        MemoryError(),
    ],
)
@pytest.mark.parametrize("stage", ["load", "generate"])
def test_out_of_memory(error: Exception, stage: str) -> None:
    with pytest.raises(EngineError) as caught, translated(stage, spec()):
        raise error
    assert caught.value.out_of_memory
    assert caught.value.stage == stage
    assert caught.value.message == f"a-model ran out of memory in stage {stage}."


class TemplateError(Exception):
    """As jinja2's, which comes with transformers."""


@pytest.mark.parametrize(
    ("error", "message", "remedy", "missing"),
    [
        (ImportError("Loading a GPTQ model requires optimum."), "requires optimum.", "Install it", True),
        (
            ImportError(
                "Cosine requires the torchsde library. You can install it with pip: `pip install torchsde`"
            ),
            "needs the package torchsde, which is not installed here.",
            install_command("audio"),
            True,
        ),
        (
            ModuleNotFoundError("No module named 'phonemizer.backend'", name="phonemizer.backend"),
            "needs the package phonemizer, which is not installed here.",
            "-m pip install phonemizer",
            True,
        ),
        (
            TemplateError("System message required"),
            "refuses the prompt: System",
            "prompt_format: plain",
            False,
        ),
        (IndexError("index out of range in self"), "more tokens than it.", "tokenizer that was", False),
        (SafetensorError("incomplete metadata"), "cannot be read: incomplete metadata.", "Download", True),
    ],
)
def test_what_a_model_lacks_is_said_in_place_of_a_librarys_error(
    error: Exception, message: str, remedy: str, missing: bool
) -> None:
    outer = RuntimeError("could not go on")
    outer.__cause__ = error
    found = engine_error(outer, "load", "a-model", RANDOM)
    assert "a-model" in found.message
    assert message in found.message
    assert remedy in str(found.remedy)
    assert found.missing is missing
    assert "--debug" not in str(found)


def test_an_index_error_of_another_kind_is_not_explained() -> None:
    assert "--debug" in str(engine_error(IndexError("list index out of range"), "load", "m", RANDOM))


def test_an_out_of_memory_behind_another_error_is_found() -> None:
    outer = ValueError("decoding failed")
    outer.__cause__ = torch.OutOfMemoryError("CUDA out of memory.")
    assert engine_error(outer, "generate", "m", RANDOM).out_of_memory


def test_the_tensors_of_a_failed_call_are_let_go() -> None:
    held: list[Any] = []

    class Tensor:
        def __del__(self) -> None:
            held.remove("alive")

    def work() -> None:
        tensor = Tensor()
        held.append("alive")
        raise MemoryError(str(type(tensor)))

    with pytest.raises(EngineError) as caught, translated("generate", spec()):
        work()
    assert held == []
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("error", "message", "remedy"),
    [
        (without_response(hub_errors.GatedRepoError), "is gated", "hf auth login"),
        (without_response(hub_errors.RepositoryNotFoundError), "has no model", "Check the name"),
        (without_response(hub_errors.RevisionNotFoundError), "no revision 'main'", "/commits/main"),
        (hub_errors.LocalEntryNotFoundError("x"), "cannot be reached", "hf download some/model"),
        (hub_errors.OfflineModeIsEnabled("x"), "cannot be reached", "--weights random"),
        (transport_error(), "cannot be reached", "--weights path:DIR"),
        (ConnectionResetError(), "cannot be reached", "--weights random"),
        (TimeoutError(), "cannot be reached", "--weights random"),
        (socket.gaierror(-2, "Name or service not known"), "cannot be reached", "--weights random"),
        (OSError("Consistency check failed: file should be of size 9"), "arrived cut off", "proxy"),
        (OSError("some/model does not appear to have a file named a.json. Checkout"), "file a.json", "files"),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_errors_of_the_hub(error: Exception, message: str, remedy: str, wrapped: bool) -> None:
    seen = error
    if wrapped:  # as transformers does
        seen = OSError("We couldn't connect to 'https://huggingface.co' to load the files")
        seen.__cause__ = error
    found = engine_error(seen, "load", "m", HUB)
    assert message in found.message
    assert "some/model" in found.message
    assert remedy in str(found.remedy)
    assert found.stage == "load"


def test_gated_names_both_ways_out() -> None:
    found = engine_error(without_response(hub_errors.GatedRepoError), "load", "m", HUB)
    for way in (
        "https://huggingface.co/some/model",
        "hf auth login",
        "--weights random",
        "--weights path:DIR",
    ):
        assert way in str(found.remedy)


def test_missing_safetensors_and_a_full_disk() -> None:
    missing = OSError("Error no file named diffusion_pytorch_model.safetensors found in directory x.")
    assert "pickled ones" in engine_error(missing, "load", "m", HUB).message
    full = OSError(errno.ENOSPC, "No space left on device")
    assert "disk is full" in engine_error(full, "load", "m", HUB).message


def test_anything_else_keeps_its_own_words_in_one_line() -> None:
    found = engine_error(ValueError("shapes\n  differ"), "generate", "m", RANDOM)
    assert found.message == "m failed in stage generate: ValueError: shapes differ"
    assert not found.out_of_memory


def test_errors_of_the_project_pass_and_travel() -> None:
    with pytest.raises(UsageError), translated("load", spec()):
        raise UsageError("No.")
    error = engine_error(MemoryError(), "generate", "m", RANDOM)
    again = pickle.loads(pickle.dumps(error))
    assert (again.message, again.stage, again.out_of_memory) == (error.message, "generate", True)


@pytest.mark.parametrize("shape", [(2**62, 4), (2**46,)])
def test_torchs_own_words_for_a_tensor_beyond_memory_are_known(shape: tuple[int, ...]) -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(shape)
    assert engine_error(refused.value, "generate", "m", RANDOM).out_of_memory
