"""Loading of a case: what is said where it cannot be loaded here, but has a server."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bench.catalog.cases import Case
from bench.core.workload import CLOSED
from bench.errors import EngineError
from bench.measurement import case_loading
from tests.support.served.producing import case


class NoHub:
    """A producer whose model cannot be fetched."""

    def load(self, _case: Case) -> None:
        raise EngineError("The model hub cannot be reached.", "Log in.", missing=True)


@pytest.mark.parametrize(
    ("of", "remedy"),
    [
        (replace(case(), workload=CLOSED), "Add --workload single to ask its server. Log in."),
        (case(), "Log in."),
    ],
)
def test_a_model_that_has_a_server_is_said_to_need_a_workload(of: Case, remedy: str) -> None:
    nothing: Any = None
    with pytest.raises(EngineError) as caught:
        case_loading._load(cast(Any, NoHub()), nothing, cast(Any, SimpleNamespace(case=of)))
    assert (caught.value.remedy, caught.value.missing) == (remedy, True)


def test_a_model_that_was_loaded_and_has_a_server_is_announced_once() -> None:
    notes: list[str] = []
    instruments = SimpleNamespace(drivers=SimpleNamespace(find=None))
    placement = SimpleNamespace(named=[])
    setup = SimpleNamespace(note=notes.append, instruments=instruments, placement=placement)
    ready = SimpleNamespace(device_uuids=(), parameters={}, revision=None)
    for each in (replace(case(), workload=CLOSED), case()):
        producer = SimpleNamespace(load=lambda _case: ready)
        case_loading._load(cast(Any, producer), cast(Any, setup), cast(Any, SimpleNamespace(case=each)))
    assert [note.partition(" is ")[2] for note in notes] == [
        "loaded here. Add --workload single to ask its server instead."
    ]
