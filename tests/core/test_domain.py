"""Domains and scopes: what is added up at a scope, and what is never added."""

from __future__ import annotations

import pytest

from bench.core.domain import Domain, by_scope, gpus, unscoped
from bench.core.scope import NESTED, contains

HOST = ["gpu:GPU-1", "cpu:package-0", "dram:0"]


@pytest.mark.parametrize(
    ("text", "device", "name", "scope", "estimate"),
    [
        ("gpu:GPU-1a2b", "gpu", "GPU-1a2b", "gpu", False),
        ("cpu:package-0-die-1", "cpu", "package-0-die-1", "host", False),
        ("dram:0", "memory", "0", "host", False),
        ("cpu-estimate", "cpu", "", "host", True),
        ("ram-estimate", "memory", "", "host", True),
        ("wall:desk", "wall", "desk", "wall", False),
        ("solar:roof", None, "roof", None, False),
        ("gpux:1", None, "1", None, False),
    ],
)
def test_the_prefix_gives_device_and_scope(
    text: str, device: str | None, name: str, scope: str | None, estimate: bool
) -> None:
    domain = Domain.parse(text)
    assert (domain.device, domain.name, domain.scope, domain.estimate) == (device, name, scope, estimate)
    assert str(domain) == text


def test_a_card_is_found_by_its_uuid() -> None:
    assert Domain.gpu("GPU-1") == Domain.parse("gpu:GPU-1")
    assert gpus(["dram:0", "gpu:GPU-2", "gpu:GPU-1"]) == ["gpu:GPU-2", "gpu:GPU-1"]


def test_a_scope_that_contains_another_is_never_added_to_it() -> None:
    scopes = by_scope([*HOST, "wall:desk"])
    assert scopes == {"gpu": ["gpu:GPU-1"], "host": HOST, "wall": ["wall:desk"]}


def test_a_wall_meter_makes_no_host_of_cards_alone() -> None:
    assert by_scope(["gpu:GPU-1", "wall:desk"]) == {"gpu": ["gpu:GPU-1"], "wall": ["wall:desk"]}


def test_an_unknown_kind_is_in_no_scope_and_is_named() -> None:
    assert by_scope(["gpu:GPU-1", "solar:roof"]) == {"gpu": ["gpu:GPU-1"]}
    assert unscoped(["gpu:GPU-1", "solar:roof"]) == ["solar:roof"]


def test_containment_is_an_order() -> None:
    for place, inner in enumerate(NESTED):
        assert [contains(outer, inner) for outer in NESTED] == [at >= place for at in range(len(NESTED))]
