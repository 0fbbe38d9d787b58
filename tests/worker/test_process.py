"""The worker process seen from its parent: answers, errors, death, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bench.core.modalities.text import TextOptions
from bench.core.temporary import sweep
from bench.core.weights import Weights
from bench.engines.base import EngineSpec, LoadedModel
from bench.errors import EngineError
from bench.worker import process as process_module
from bench.worker.messages import (
    CheckedOutput,
    CheckOutput,
    Generate,
    Generated,
    Hello,
    HelloAnswer,
    LoadDone,
    LoadModel,
    LoadStep,
    RunLoad,
)
from bench.worker.process import WorkerProcess, own_code
from tests.support.processes import ROOT, has_ended, wait_until

SPEC = EngineSpec(
    model="tiny-bloom",
    weights=Weights(kind="random", architecture="tiny-bloom"),
    options=TextOptions(new_tokens=4),
    dtype="float32",
    batch=2,
)


@pytest.mark.slow
def test_a_model_is_loaded_makes_whole_batches_and_is_inspected(tmp_path: Path) -> None:
    with WorkerProcess({"OMP_NUM_THREADS": "1"}) as child:
        pid = child.pid
        assert child.ask(LoadModel(SPEC, ("one", "two", "three")), LoadedModel).parameters
        produced = child.ask(Generate(0, batches=3), Generated)
        assert sum(batch.items for batch in produced.batches) == 6
        edges = [edge for batch in produced.batches for edge in (batch.start_ns, batch.end_ns)]
        assert edges == sorted(edges)
        checked = child.ask(CheckOutput(str(tmp_path / "kept"), "page"), CheckedOutput)
        assert [found.tokens for found in checked.found] == [(4, 4)] * 3
        assert len(checked.files) == 6
        assert all(Path(name).is_file() for name in checked.files)
        assert child.ask(CheckOutput(), CheckedOutput).found == ()
    assert not psutil.pid_exists(pid)


def test_an_error_of_the_engine_arrives_whole_with_its_trace() -> None:
    with WorkerProcess({}) as child:
        with pytest.raises(EngineError, match="No model is loaded"):
            child.ask(Generate(0, batches=1), Generated)
        assert "Traceback" in (child.trace or "")


def test_something_short_is_done_while_an_answer_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "TURN_S", 0.02)
    turns: list[None] = []
    with (
        WorkerProcess({}, meanwhile=lambda: turns.append(None)) as child,
        pytest.raises(EngineError, match="No model"),
    ):
        child.ask(Generate(0, batches=1), Generated)
    assert turns, "a process takes longer than that to start"


def test_a_killed_worker_is_an_engine_error_that_names_the_signal() -> None:
    with WorkerProcess({}, replace(own_code(), named="base (1234567)")) as child:
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(EngineError, match="SIGKILL") as caught:
            child.ask(Generate(0, batches=1), Generated)
        assert caught.value.stage == "killed"
        assert caught.value.message.startswith("base (1234567): The worker"), "of two, it is said which"


def test_a_worker_survives_the_terminals_ctrl_c_and_leaves_with_its_block() -> None:
    with WorkerProcess({}) as child:
        with pytest.raises(EngineError):
            child.ask(Generate(0, batches=1), Generated)  # it is up and listening
        os.kill(child.pid, signal.SIGINT)
        with pytest.raises(EngineError, match="No model is loaded"):
            child.ask(Generate(0, batches=1), Generated)


def test_without_the_run_extra_it_is_one_sentence_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text("raise ModuleNotFoundError('No module named torch', name='torch')\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.getcwd()}")
    monkeypatch.syspath_prepend(tmp_path)
    with (
        WorkerProcess({}) as child,
        pytest.raises(EngineError, match=r"extra `run` is not installed") as caught,
    ):
        child.ask(LoadModel(SPEC, ("one",)), LoadedModel)
    assert caught.value.missing
    assert str(caught.value.remedy).endswith("scripts/setup")  # of the checkout whose Python this is


@pytest.mark.parametrize("went_on", [True, False])
def test_a_worker_found_stopped_twice_is_given_up_and_one_that_goes_on_is_not(
    monkeypatch: pytest.MonkeyPatch, went_on: bool
) -> None:
    monkeypatch.setattr(process_module, "STOPPED_LOOK_S", 0.5)
    with WorkerProcess({}) as child:
        with pytest.raises(EngineError, match="No model is loaded"):
            child.ask(Generate(0, batches=1), Generated)
        os.kill(child.pid, signal.SIGSTOP)
        go_on = threading.Timer(0.7, lambda: os.kill(child.pid, signal.SIGCONT))
        if went_on:
            go_on.start()
        words = "No model is loaded" if went_on else "was stopped from outside while it handled Generate"
        with pytest.raises(EngineError, match=words) as caught:
            child.ask(Generate(0, batches=1), Generated)
        assert caught.value.stage == ("load" if went_on else "stopped")
        pid = child.pid
    assert not psutil.pid_exists(pid)


def test_a_load_that_was_not_prepared_is_an_error_and_an_answer_can_be_waited_for() -> None:
    with WorkerProcess({}) as child:
        request = RunLoad((LoadStep("high", 0.1),))
        child.begin(request)
        assert wait_until(lambda: child.answered, 30)
        with pytest.raises(EngineError, match="No load is prepared"):
            child.finish(request, LoadDone)
        os.kill(child.pid, signal.SIGKILL)
        assert wait_until(lambda: child.answered, 30), "a death is an answer, too: nobody waits for ever"
        with pytest.raises(EngineError, match="SIGKILL"):
            child.finish(request, LoadDone)


HELD = """
import ctypes, threading, time
from bench.worker import process
from bench.worker.messages import Generate

def run():
    process.WORKER = "holds_all"
    with process.WorkerProcess({}) as child:
        child.begin(Generate(0))
        print(child.pid, flush=True)
        time.sleep(60)

START
"""
HOLDS_ALL = """
import ctypes, time

def main(connection):
    connection.recv()
    HOLD
"""


@pytest.mark.parametrize(
    ("start", "hold"),
    [
        ("run()", "ctypes.PyDLL(None).sleep(60)  # keeps the interpreter's lock, as native code may"),
        ("threading.Thread(target=run).start()", "time.sleep(60)"),
    ],
    ids=["in native code", "started by a thread"],
)
def test_a_worker_at_work_ends_with_its_killed_parent(tmp_path: Path, start: str, hold: str) -> None:
    (tmp_path / "holds_all.py").write_text(HOLDS_ALL.replace("HOLD", hold))
    paths = os.pathsep.join([str(ROOT), str(tmp_path)])
    environment = os.environ | {"PYTHONPATH": paths, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", HELD.replace("START", start)],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.kill()
        parent.wait()
    assert wait_until(lambda: has_ended(child), timeout_s=5.0)


def test_a_worker_outlives_the_thread_that_started_it() -> None:
    started: list[WorkerProcess] = []
    thread = threading.Thread(target=lambda: started.append(WorkerProcess({"OMP_NUM_THREADS": "1"})))
    thread.start()
    thread.join()
    with started[0] as child:
        assert child.ask(Hello(), HelloAnswer).folder


def test_the_log_of_a_worker_whose_parent_is_killed_is_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
import time
from bench.worker.process import WorkerProcess
with WorkerProcess({}) as child:
    print(child.pid, flush=True)
    time.sleep(60)
"""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline()
        (log,) = tmp_path.glob("joulebench-worker-*.log")
        sweep()
        assert log.exists(), "its owner lives"
        parent.kill()
        parent.wait()
    sweep()
    assert not log.exists()
