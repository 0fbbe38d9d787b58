"""joulebench: joules and grams of CO2e per page, image and second, measured on this machine.

Start at `bench.cli` for what a person types, at `bench.measurement` for how a measurement is made, and at
`bench.store` for what is kept of it. `python -m bench --help` lists the verbs. For code of your own:

    with bench.measure(units=8, unit="image") as window:
        images = pipe(prompts)
    print(window.energy_per_unit_j)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.measurement.api import EnergyResult, Meter, Window, measure, measured

__version__ = "0.1.0"
__all__ = ["EnergyResult", "Meter", "Window", "__version__", "measure", "measured"]


def __dir__() -> list[str]:
    """The public names, also those that are not imported yet."""
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    """The Energy API, imported when it is first used: `import bench` takes no time."""
    if name in __all__:
        from bench.measurement import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
