"""Messages between parent and worker: plain frozen values that pickle.

The parent asks one thing at a time and waits, asleep, for the one answer; text before it is for the user.
The child may run the code of another checkout: what travels is found again by the names of classes and
fields, so `PROTOCOL` rises with every change that the other side would not understand. A new field that has
a default is none: a worker refuses to load where an option is set that it lacks.

History of `PROTOCOL`
    1   first version; the worker sends it first
    2   `Produced` has the start and end of each rest, not only its length
    3   options of a case are those of `bench/core/modalities`
    4   `Generate` and `Generated` in place of `Produce` and `Produced`; weights and the peak of memory
        are the types of `bench/core`, and three values have other names; options of audio, speech,
        recognition, voice and video; `Inspected.heard_seconds`
    5   messages have the names of what they ask for, and modules are where the rooms are now
    6   options of embeddings; kinds of page and reasoning of text; `OutputCheck.reasoning_tokens`
    7   `MeasurePeaks` and `DevicePeaks` of `bench/core` in place of `MeasureCeilings` and `ReachedCeilings`;
        cases of several models: `EngineSpec.parts` with their servers, `LoadedModel.part_revisions`; options
        of councils and agents; `OutputCheck.counts`
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.core.calibration import LoadLevel
from bench.core.observed import PeakMemory
from bench.engines.base import EngineSpec, OutputCheck, PhaseEdges
from bench.engines.roofline.peak_sizes import PeakSizes
from bench.worker.dealiasing import Dealiasing

PROTOCOL = 7


@dataclass(frozen=True)
class Hello:
    """Say what code this is. Answer: `HelloAnswer`."""


@dataclass(frozen=True)
class HelloAnswer:
    """The folder that `bench` was imported from, and the versions of libraries beside it."""

    folder: str
    libraries: dict[str, str]


@dataclass(frozen=True)
class LoadModel:
    """Load a model. Answer: `LoadedModel`; with `notes`, lines of text for the user may come before it."""

    spec: EngineSpec
    prompts: tuple[str, ...]
    notes: bool = False


@dataclass(frozen=True)
class Generate:
    """Make whole batches: at least `batches` of them, and for at least `seconds`. Answer: `Generated`.

    Before batches the worker rests as in `shift`; never after the last.
    """

    first_prompt: int
    batches: int | None = None
    seconds: float | None = None
    shift: Dealiasing | None = None


@dataclass(frozen=True)
class CheckOutput:
    """Count, check and, where asked, save what the last `Generate` made. Answer: `CheckedOutput`."""

    save_to: str | None = None
    stem: str = ""


@dataclass(frozen=True)
class PrepareLoad:
    """Get a generated load ready on a device, in place of a model. Answer: `LoadPrepared`."""

    device: str


@dataclass(frozen=True)
class LoadPrepared:
    """The load is ready on this card, by UUID."""

    uuid: str


@dataclass(frozen=True)
class LoadStep:
    """So much of a load for so long."""

    level: LoadLevel
    seconds: float


@dataclass(frozen=True)
class RunLoad:
    """Do these steps one after the other. Answer: `LoadDone`."""

    steps: tuple[LoadStep, ...]


@dataclass(frozen=True)
class LoadDone:
    """Start of each step, the device synchronised, and end of the last one."""

    steps: tuple[LoadStep, ...]
    edges_ns: tuple[int, ...]


@dataclass(frozen=True)
class MeasurePeaks:
    """Find out what a device reaches at most. Answer: `DevicePeaks`."""

    device: str
    sizes: PeakSizes


@dataclass(frozen=True)
class Unload:
    """Free the device and end."""


@dataclass(frozen=True)
class Batch:
    """One batch: its synchronised edges, items and phases."""

    start_ns: int
    end_ns: int
    items: int
    phases: tuple[PhaseEdges, ...]


@dataclass(frozen=True)
class Generated:
    """Output of a `Generate`, edge to edge, and the edges of each rest."""

    batches: tuple[Batch, ...]
    rests_ns: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class CheckedOutput:
    """Findings about the output of the last `Generate`, by batch; files saved; memory it took."""

    found: tuple[OutputCheck, ...]
    files: tuple[str, ...]
    peak: PeakMemory | None = None


@dataclass(frozen=True)
class Failed:
    """Something went wrong; the error travels as it is, its traceback as text for --debug."""

    error: Exception
    trace: str


Request = Hello | LoadModel | Generate | CheckOutput | PrepareLoad | RunLoad | MeasurePeaks | Unload
