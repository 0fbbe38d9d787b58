"""A node in a network namespace of its own, across a virtual link."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from bench.meters.nodes.address import NodeAddress
from bench.meters.nodes.serving_nodes import ServingNodes
from tests.fleet.stepped_node import TOKEN
from tests.support.processes import ROOT

NAME = f"jb{os.getpid() % 100000}"
HERE, THERE = "10.213.57.1", "10.213.57.2"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=10)


@pytest.fixture
def namespace() -> Iterator[str]:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and the program ip")
    try:
        ip("netns", "add", NAME)
        ip("link", "add", f"{NAME}a", "type", "veth", "peer", "name", f"{NAME}b", "netns", NAME)
        ip("addr", "add", f"{HERE}/24", "dev", f"{NAME}a")
        ip("link", "set", f"{NAME}a", "up")
        ip("-n", NAME, "addr", "add", f"{THERE}/24", "dev", f"{NAME}b")
        ip("-n", NAME, "link", "set", f"{NAME}b", "up")
    except subprocess.CalledProcessError as error:
        with suppress(subprocess.CalledProcessError):
            ip("netns", "del", NAME)
        pytest.skip(f"network namespaces are not allowed here: {error.stderr.decode().strip()}")
    yield NAME
    ip("netns", "del", NAME)


def test_a_node_across_a_link(namespace: str) -> None:
    command = ["ip", "netns", "exec", namespace, sys.executable, "-m", "tests.fleet.stepped_node", THERE]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as agent:
        assert agent.stdout is not None
        port = int(agent.stdout.readline())
        with ServingNodes((NodeAddress("far", None, THERE, port),), TOKEN) as nodes:
            now_ns = time.monotonic_ns()
            (energy,) = nodes.window(now_ns - 10_000_000_000, now_ns).energy.values()
            clock = nodes.described()["far"].clock
        agent.communicate()
    assert energy.gross_j == pytest.approx(1000.0, rel=0.01)
    assert clock is not None
    assert clock.offset_s == pytest.approx(3.7, abs=clock.uncertainty_s + 0.001)
