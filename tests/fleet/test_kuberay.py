"""The documented RayJob: valid by the fields of KubeRay, its volumes and options exist, slips are refused."""

from __future__ import annotations

import copy
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bench.cli import run

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads(Path(__file__).with_name("rayjob_schema.json").read_text(encoding="utf-8"))
Change = Callable[[Any], object]


@pytest.fixture
def manifest() -> Any:
    """The manifest as it is documented."""
    return yaml.safe_load((DOCS / "kuberay.yaml").read_text(encoding="utf-8"))


def faults(manifest: Any) -> list[str]:
    """What the schema refuses."""
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(manifest)]


def pods(manifest: Any) -> list[Any]:
    """The pods of head and workers."""
    cluster = manifest["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [group["template"]["spec"] for group in groups]


def test_the_documented_manifest_is_valid(manifest: Any) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert faults(manifest) == []


@pytest.mark.parametrize(
    "slip",
    [
        lambda spec: spec.pop("entrypoint"),
        lambda spec: spec.update(shutDownAfterJobFinishes=spec.pop("shutdownAfterJobFinishes")),
        lambda spec: spec["rayClusterSpec"]["headGroupSpec"]["rayStartParams"].update({"num-cpus": 0}),
        lambda spec: spec["rayClusterSpec"]["workerGroupSpecs"][0].pop("groupName"),
        lambda spec: spec["rayClusterSpec"]["workerGroupSpecs"][0].update(replicas="4"),
        lambda spec: spec["rayClusterSpec"]["workerGroupSpecs"][0]["template"]["spec"].pop("containers"),
    ],
)
def test_a_slip_is_refused(manifest: Any, slip: Change) -> None:
    slipped = copy.deepcopy(manifest)
    slip(slipped["spec"])
    assert faults(slipped)


def test_every_mount_has_its_volume_and_both_pods_one_image(manifest: Any) -> None:
    for pod in pods(manifest):
        mounts = {mount["name"] for each in pod["containers"] for mount in each["volumeMounts"]}
        assert mounts == {volume["name"] for volume in pod["volumes"]}
    assert len({each["image"] for pod in pods(manifest) for each in pod["containers"]}) == 1


def test_the_command_is_one_that_run_takes(manifest: Any) -> None:
    python, module, package, verb, *words = shlex.split(manifest["spec"]["entrypoint"])
    assert (python, module, package, verb) == ("python", "-m", "bench", "run")
    context = run.command.make_context("run", words)
    assert context.params["every_node"] is True
    assert context.params["fleet"] == "auto"
    mounts = pods(manifest)[0]["containers"][0]["volumeMounts"]
    assert str(context.params["results"]) in {mount["mountPath"] for mount in mounts}
