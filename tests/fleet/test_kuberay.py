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


def worker(spec: Any) -> Any:
    """The one group of workers of a job's spec."""
    return spec["rayClusterSpec"]["workerGroupSpecs"][0]


def node(spec: Any) -> Any:
    """The pod of a worker."""
    return worker(spec)["template"]["spec"]


@pytest.mark.parametrize(
    ("slip", "message"),
    [
        (lambda job: job.update(kind="RayJobs"), "'RayJob' was expected"),
        (lambda job: job.update(apiVersion="ray.io/v2"), "'ray.io/v1' was expected"),
        (lambda job: job["metadata"].update(name="9-cards"), "'9-cards' does not match"),
        (lambda job: job["spec"].pop("entrypoint"), "'entrypoint' is a required property"),
        (
            lambda job: job["spec"].update(shutDownAfterJobFinishes=True),
            "'shutDownAfterJobFinishes' was unexpected",
        ),
        (lambda job: job["spec"].update(backoffLimit="0"), "'0' is not of type 'integer'"),
        (lambda job: worker(job["spec"]).pop("groupName"), "'groupName' is a required property"),
        (lambda job: worker(job["spec"]).pop("rayStartParams"), "'rayStartParams' is a required property"),
        (
            lambda job: worker(job["spec"])["rayStartParams"].update({"num-cpus": 0}),
            "0 is not of type 'string'",
        ),
        (lambda job: worker(job["spec"]).update(replicas="4"), "'4' is not of type 'integer'"),
        (lambda job: node(job["spec"]).pop("containers"), "'containers' is a required property"),
        (
            lambda job: node(job["spec"])["containers"][0]["resources"]["limits"].update(memory="128 GB"),
            "'128 GB' does not match",
        ),
        (
            lambda job: node(job["spec"])["volumes"][0]["hostPath"].update(type="Folder"),
            "'Folder' is not one of",
        ),
    ],
)
def test_a_slip_is_refused_for_what_it_is(manifest: Any, slip: Change, message: str) -> None:
    slipped = copy.deepcopy(manifest)
    slip(slipped)
    (fault,) = faults(slipped)
    assert message in fault


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
