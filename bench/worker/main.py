"""Child process of one case: has the model, makes output when asked, and never meters anything.

It ends on request, when the pipe closes (its parent died), or when something kills it. It is a program of
its own, started by `bench/worker/start.py`.
"""

from __future__ import annotations

import time
import traceback
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from bench.core.modality import Options
from bench.core.peaks import DevicePeaks
from bench.engines.base import Engine, GeneratedBatch
from bench.engines.device.memory import forget_peak, peak
from bench.engines.device.step_load import SquareLoad
from bench.errors import EngineError
from bench.worker.dealiasing import Rests
from bench.worker.engine_notes import passing_on
from bench.worker.messages import (
    Batch,
    CheckedOutput,
    CheckOutput,
    Failed,
    Generate,
    Generated,
    Hello,
    HelloAnswer,
    LoadDone,
    LoadModel,
    LoadPrepared,
    MeasurePeaks,
    PrepareLoad,
    Request,
    RunLoad,
    Unload,
)


def main(connection: Connection) -> None:
    """Answer requests until `Unload`. Raises EOFError or ConnectionError at the end of the pipe."""
    worker = Worker()
    while True:
        request: Request = connection.recv()
        with passing_on(connection if isinstance(request, LoadModel) and request.notes else None):
            answer = worker.answer(request)
        connection.send(answer)
        if isinstance(request, Unload):
            return


class Worker:
    """The state between requests: an engine, its prompts, output not yet inspected; or a generated load."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._square: SquareLoad | None = None
        self._prompts: tuple[str, ...] = ()
        self._batch = 1
        self._seed = 0
        self._devices: tuple[str, ...] = ()
        self._unforgotten: str | None = None
        self._made: list[GeneratedBatch] = []

    def answer(self, request: Request) -> object:
        """The answer to a request, or `Failed`."""
        try:
            match request:
                case Hello():
                    return _introduced()
                case LoadModel():
                    return self._load(request)
                case Generate():
                    return self._produce(request)
                case CheckOutput():
                    return self._inspect(request)
                case PrepareLoad():
                    return self._prepare(request)
                case RunLoad():
                    return self._drive(request)
                case MeasurePeaks():
                    return self._reach(request)
                case Unload():
                    self._unload()
                    return None
        except EngineError as error:
            return Failed(error, traceback.format_exc())
        except MemoryError:
            message = f"Memory ran out while the worker handled {type(request).__name__}."
            remedy, stage = "Use a smaller batch, dtype or model.", _stage(request)
            return Failed(
                EngineError(message, remedy, stage=stage, out_of_memory=True), traceback.format_exc()
            )
        except Exception as error:  # noqa: BLE001 - the boundary: any fault of a model becomes a sentence
            summary = " ".join(str(error).split())[:300]
            message = f"{type(error).__name__} while the worker handled {type(request).__name__}: {summary}"
            return Failed(EngineError(message, stage=_stage(request)), traceback.format_exc())

    def _load(self, request: LoadModel) -> object:
        from bench.engines import create

        _require_known(request.spec.options)
        self._prompts, self._batch = request.prompts, request.spec.batch
        self._seed = request.spec.seed
        self._devices = request.spec.devices
        self._engine = create(request.spec)
        ready = replace(self._engine.load(), longest_prompt=self._engine.longest_prompt(request.prompts))
        self._unforgotten = forget_peak(self._devices)
        return ready

    def _prepare(self, request: PrepareLoad) -> LoadPrepared:
        from bench.engines import create_square_load

        self._square = create_square_load(request.device)
        return LoadPrepared(self._square.uuid)

    def _drive(self, request: RunLoad) -> LoadDone:
        if self._square is None:
            raise EngineError("No load is prepared.")
        edges_ns = []
        for step in request.steps:
            edges_ns.append(time.monotonic_ns())
            self._square.run(step.level, step.seconds)
        return LoadDone(request.steps, (*edges_ns, time.monotonic_ns()))

    def _reach(self, request: MeasurePeaks) -> DevicePeaks:
        from bench.engines import measure_peaks

        return measure_peaks(request.device, request.sizes)

    def _unload(self) -> None:
        if self._engine is not None:
            self._engine.unload()

    def _ready(self) -> Engine:
        if self._engine is None:
            raise EngineError("No model is loaded.")
        return self._engine

    def _produce(self, request: Generate) -> Generated:
        engine = self._ready()
        self._made = []
        batches: list[Batch] = []
        rests = Rests(request.shift)
        begun = time.monotonic()
        while len(batches) < (request.batches or 1) or (
            request.seconds is not None and time.monotonic() - begun < request.seconds
        ):
            rests.before_batch()
            at = request.first_prompt + len(batches) * self._batch
            prompts = [self._prompts[(at + i) % len(self._prompts)] for i in range(self._batch)]
            batch = engine.generate(prompts, seed=self._seed + at)
            self._made.append(batch)
            batches.append(Batch(batch.start_ns, batch.end_ns, batch.items, batch.phases))
        return Generated(tuple(batches), tuple(rests.taken_ns))

    def _inspect(self, request: CheckOutput) -> CheckedOutput:
        engine = self._ready()
        taken = peak(self._devices, self._unforgotten)
        files: list[Path] = []
        if request.save_to is not None:
            folder = Path(request.save_to)
            folder.mkdir(parents=True, exist_ok=True)
            for number, batch in enumerate(self._made):
                files += engine.save(batch, folder, f"{request.stem}-{number:03d}")
        checks = tuple(engine.inspect(batch) for batch in self._made)
        self._made = []
        self._unforgotten = forget_peak(self._devices)
        return CheckedOutput(checks, tuple(map(str, files)), taken)


def _require_known(options: Options) -> None:
    """Raise EngineError for an option that is set and that this code, an older checkout's, lacks.

    Pickle sets also a value without a field, which would then be ignored silently.
    """
    fields = type(options).model_fields
    unknown = sorted(name for name, value in vars(options).items() if value and name not in fields)
    if unknown:
        raise EngineError(
            f"This code lacks the option {', '.join(unknown)}, and would do the work the plain way.",
            "Leave that out, or measure a newer checkout.",
            missing=True,
            stage="load",
        )


def _introduced() -> HelloAnswer:
    import bench
    from bench.machine.provenance import libraries

    return HelloAnswer(str(Path(bench.__file__).parent), libraries())


def _stage(request: Request) -> str:
    stages = {LoadModel: "load", PrepareLoad: "load", CheckOutput: "finish", Unload: "unload"}
    return stages.get(type(request), "generate")
