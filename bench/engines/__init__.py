"""What makes output: text and images, each behind the one protocol of `bench.engines.base`.

Importing this package costs nothing; torch and its libraries are imported when an engine is created, so
that `bench --help` and everything that only reads records stay quick.

    from bench.engines import create
    engine = create(spec)
    ready = engine.load()
"""

from __future__ import annotations

from bench.engines.base import Engine, EngineSpec, TextOptions
from bench.errors import EngineError

__all__ = ["create"]


def create(spec: EngineSpec) -> Engine:
    """The engine for `spec`, not loaded yet. Raises EngineError where torch and its libraries are missing."""
    try:
        if isinstance(spec.options, TextOptions):
            from bench.engines.text import TextEngine

            return TextEngine(spec, spec.options)
        from bench.engines.image import ImageEngine

        return ImageEngine(spec, spec.options)
    except ModuleNotFoundError as error:
        raise EngineError(
            f"The package {error.name} is not installed, and running a model needs it.",
            "Install it with: pip install 'joulebench[run]'.",
            missing=True,
        ) from error
