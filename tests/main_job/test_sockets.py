"""Commands ask no address but those that they were given: a library writes down each that they connect to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.main_job.running import CATALOGUE, THREADS
from tests.support.processes import ROOT
from tests.support.served.server import Manners, serving
from tests.support.sockets import SocketWatch

SERVED = ROOT / "tests" / "support" / "served" / "models.yaml"
LIMITS = ["--max-seconds", "2", "--block-seconds", "0.5", "--target", "95%"]
QUICK = ["--weights", "random", "--device", "cpu", *LIMITS]


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> SocketWatch:
    return SocketWatch(tmp_path_factory.mktemp("sockets"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


def started(watch: SocketWatch, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    variables = os.environ | THREADS | watch.environment() | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_the_watch_sees_a_child_that_asks(tmp_path: Path) -> None:
    watch = SocketWatch(tmp_path)
    asks = "import socket; socket.getaddrinfo('localhost', 9); socket.socket().connect_ex(('127.0.0.1', 9))"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {asks!r}])"
    started(watch, tmp_path, "-c", child)
    assert {"lookup localhost", "127.0.0.1:9"} <= watch.asked()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_and_what_is_made_of_it_ask_nobody(watch: SocketWatch, folder: Path) -> None:
    run = started(watch, folder, "-m", "bench", "run", "tiny-bloom", "--models", str(CATALOGUE), *QUICK)
    assert run.returncode in (0, 3), run.stderr
    for command in (
        ("show", "latest"),
        ("report", "-o", "page.html"),
        ("compare", "latest", "latest"),
        ("export", "csv", "results"),
        ("validate", "results"),
        ("footprint", "people"),
        ("footprint", "scenario", "critics"),
        ("list",),
        ("watch", "--", "true"),
        ("ab", "--runs", "5", "--", "true", "true"),
    ):
        done = started(watch, folder, "-m", "bench", *command)
        assert done.returncode in (0, 1, 3), (command, done.stderr)
    assert watch.asked() == set()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_served_case_asks_its_server_alone(tmp_path: Path) -> None:
    watch = SocketWatch(tmp_path)
    with serving(Manners()) as url:
        models = tmp_path / "models.yaml"
        models.write_text(SERVED.read_text(encoding="utf-8").replace("key: SERVED_TEST_KEY", "base: /v1"))
        asked = [
            "--endpoint",
            url,
            "--workload",
            "single",
            "--models",
            str(models),
            "--device",
            "cpu",
            *LIMITS,
        ]
        done = started(watch, tmp_path, "-m", "bench", "run", "tiny", *asked)
    assert done.returncode in (0, 3), done.stderr
    address = urlsplit(url).netloc
    assert watch.asked() - {"lookup 127.0.0.1"} == {address}
