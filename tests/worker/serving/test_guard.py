"""A started server ends with the process that started it, also where that is killed or the server is deaf."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from bench.core.temporary import SERVER_SAID, sweep
from bench.errors import EngineError
from bench.worker.serving.secrets import ApiKey
from bench.worker.serving.server_process import ServerProcess
from tests.support.processes import ROOT, has_ended, wait_until

STARTER = """
import sys, time
from pathlib import Path
from bench.worker.serving.secrets import ApiKey
from bench.worker.serving.server_process import ServerProcess
server = ServerProcess([sys.executable, "-c", sys.argv[2]], {}, Path(sys.argv[1]), ApiKey(None))
while len(server.pids) < 2:
    time.sleep(0.05)
print(*server.pids, flush=True)
time.sleep(60)
"""
SERVER = """
import signal, subprocess, sys, time
DEAF
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
time.sleep(60)
"""
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


@pytest.mark.parametrize("deaf", ["", DEAF], ids=["heeds SIGTERM", "ignores SIGTERM"])
def test_server_and_its_children_end_with_a_killed_starter(tmp_path: Path, deaf: str) -> None:
    command = [sys.executable, "-c", STARTER, str(tmp_path / "log"), SERVER.replace("DEAF", deaf)]
    variables = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        processes = [psutil.Process(int(pid)) for pid in starter.stdout.readline().split()]
        assert len(processes) == 2
        starter.kill()
        starter.wait()
    assert wait_until(lambda: all(map(has_ended, processes)), timeout_s=5.0)
    assert not (tmp_path / "log").exists(), "it may have the key until it was gone through"
    assert [path.name.startswith(SERVER_SAID) for path in sweep()] == [True]


def test_the_guard_ends_with_the_server(tmp_path: Path) -> None:
    before = set(psutil.Process().children())
    server = ServerProcess(
        [sys.executable, "-c", SERVER.replace("DEAF", "")], {}, tmp_path / "log", ApiKey(None)
    )
    started = set(psutil.Process().children()) - before
    assert len(started) == 2
    server.end(gently=False)
    assert not any(process.is_running() for process in started)


def test_a_started_server_is_asked_to_report_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = "import os; print(os.environ['DO_NOT_TRACK'], os.environ['HF_HUB_DISABLE_TELEMETRY'], flush=True)"
    for number, chosen in (("1", None), ("0", "0")):
        if chosen is not None:
            monkeypatch.setenv("DO_NOT_TRACK", chosen)
        log = tmp_path / f"log-{number}"
        server = ServerProcess([sys.executable, "-c", says], {}, log, ApiKey(None))
        assert wait_until(lambda server=server: server.ended() is not None, timeout_s=30.0)  # type: ignore[misc]
        server.end(gently=False)
        assert log.read_text().split() == [number, "1"], "what the user has set is kept"


def test_a_log_that_cannot_be_written_is_kept_elsewhere_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVER_SECRET", "planted-secret")
    log = tmp_path / "logs" / "server.log"
    server = ServerProcess(
        [sys.executable, "-c", "print('no room for planted-secret')"], {}, log, ApiKey(None)
    )
    log.mkdir()
    assert wait_until(lambda: server.ended() is not None, timeout_s=30.0)
    with pytest.raises(EngineError, match=r"with exit status 0") as raised:
        server.require_alive("load")
    named = re.search(r"Its log is (/\S+\.log)\.", str(raised.value))
    assert named is not None, str(raised.value)
    server.end(gently=False)
    kept = Path(named[1])
    assert kept.parent == Path(tempfile.gettempdir())
    assert sweep() == []
    assert kept.read_text() == server.last_words() == "no room for ***\n"
    kept.unlink()


def test_a_sentence_names_a_log_that_has_the_words_so_far(tmp_path: Path) -> None:
    says = "import time; print('loading', flush=True); time.sleep(60)"
    server = ServerProcess([sys.executable, "-c", says], {}, tmp_path / "log", ApiKey(None))
    assert wait_until(lambda: server.last_words() == "loading\n", timeout_s=30.0)
    assert server.see_log == f"Its log is {tmp_path / 'log'}."
    assert (tmp_path / "log").read_text() == "loading\n"
    server.end(gently=False)
    assert (tmp_path / "log").read_text() == "loading\n"
