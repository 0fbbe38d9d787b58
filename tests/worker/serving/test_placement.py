"""Which machine, processes and cards a server has."""

from __future__ import annotations

import os

import psutil
import pytest

from bench.errors import EngineError
from bench.machine.placement import Placement
from bench.meters.gpus import GpuDrivers
from bench.worker.producer import ProducerSetup
from bench.worker.serving import address
from bench.worker.serving.secrets import ApiKey
from bench.worker.serving.served_server import ServedServer
from tests.standin import StandIn
from tests.support.served.producing import case
from tests.support.served.server import Manners, serving


def attached(url: str, placement: Placement) -> ServedServer:
    of = case()
    assert of.model.serve is not None
    return ServedServer(of, of.model.serve, ProducerSetup(placement, endpoint=url), ApiKey())


def test_a_server_that_is_up_is_found_by_the_process_that_listens() -> None:
    with serving(Manners()) as url:
        assert os.getpid() in attached(url, Placement("cpu")).pids
        assert attached(url, Placement("cpu")).card_uuids() == ()


def test_its_card_is_the_one_on_which_it_computes(drivers: GpuDrivers, clocked: StandIn) -> None:
    placement = Placement("cuda", (), drivers.gpus[:1])
    with serving(Manners()) as url:
        with pytest.raises(EngineError) as caught:
            attached(url, placement).card_uuids()
        clocked.set_processes(0, {os.getpid(): 1_000_000})
        assert attached(url, placement).card_uuids() == (drivers.gpus[0].uuid,)
        named = Placement("cuda", drivers.gpus[1:2], drivers.gpus[1:2])
        assert attached(url, named).card_uuids() == (drivers.gpus[1].uuid,), "what --gpus names is taken"
    assert f"The server's processes are not seen on {drivers.gpus[0].uuid}." in str(caught.value)


def test_a_tunnel_to_a_server_is_a_server_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Manners()) as url:
        assert address.parse(url).elsewhere() is None
        monkeypatch.setattr(psutil.Process, "name", lambda self: "ssh")
        assert "is a tunnel of ssh to another machine" in str(address.parse(url).elsewhere())


def test_cards_of_this_machine_are_refused_for_a_server_elsewhere(drivers: GpuDrivers) -> None:
    placement = Placement("cuda", drivers.gpus[:1], drivers.gpus[:1])
    with pytest.raises(EngineError) as caught:
        attached("http://192.0.2.1:8000/v1", placement)
    assert str(caught.value).startswith("--gpus names cards of this machine, and the server at 192.0.2.1")
