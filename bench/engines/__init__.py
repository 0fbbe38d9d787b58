"""What makes output: text and images, each behind the one protocol of `bench.engines.base`.

Importing this package costs nothing; torch and its libraries are imported when an engine is created, so
that `bench --help` and everything that only reads records stay quick.

    from bench.engines import create
    engine = create(spec)
    ready = engine.load()
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.engines.base import Engine, EngineSpec, TextOptions
from bench.engines.square_load import SquareLoad
from bench.errors import EngineError

__all__ = ["create", "create_square_load"]


def create(spec: EngineSpec) -> Engine:
    """The engine for `spec`, not loaded yet. Raises EngineError where torch and its libraries are missing."""
    with _installed():
        if isinstance(spec.options, TextOptions):
            from bench.engines.text import TextEngine

            return TextEngine(spec, spec.options)
        from bench.engines.image import ImageEngine

        return ImageEngine(spec, spec.options)


def create_square_load(device: str) -> SquareLoad:
    """A generated load on a CUDA device, warmed up. Raises EngineError as `create` does."""
    with _installed():
        from bench.engines.cuda_load import CudaLoad

        return CudaLoad(device)


@contextmanager
def _installed() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise EngineError(
            f"The package {error.name} is not installed, and running a model needs it.",
            "Install it with: pip install 'joulebench[run]'.",
            missing=True,
        ) from error
