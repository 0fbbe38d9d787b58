"""The work of phases: an edit's is not that of an image from a text, and has a reason in its place."""

from __future__ import annotations

from bench.core.block import Phase
from bench.engines.roofline.demand import Demand
from bench.engines.weights import architectures
from bench.roofline.work import demands
from tests.support import factory


def test_the_work_of_an_edit_is_not_counted_as_that_of_an_image_from_a_text() -> None:
    name = "tiny-stable-diffusion"
    phase = Phase(seconds=1.0, count=1, energy={factory.GPU: factory.energy(10.0)})
    blocks = [factory.block(10.0, phases=dict.fromkeys(("text_encoder", "denoise", "vae"), phase))]
    engine = {"parameters": architectures.load(name).parameters, "used": {}, "device_uuids": []}
    options = {"width": 64, "height": 64, "steps": 4}
    found = {}
    for task in (None, "image-to-image"):
        asked = options if task is None else options | {"task": task}
        case = factory.case(model=name, engine="image", unit="image", options=asked)
        found[task] = demands(factory.record(blocks=blocks, case=case, engine=engine), name, blocks)
    assert isinstance(found[None]["denoise"], Demand)
    assert set(found["image-to-image"].values()) == {"the work of the task image-to-image is not counted"}
