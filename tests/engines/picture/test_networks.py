"""One network in one pass: a generator, feed-forward styles, and networks that were exported to a file."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench.core.modalities.image import ImageOptions
from bench.core.weights import Weights
from bench.engines import create
from bench.engines.base import EngineSpec
from bench.engines.picture import drawn
from bench.engines.picture.networks import AdaptiveStyle, StyleGan2Generator, TransformationNetwork
from bench.engines.weights import architectures, random_weights
from bench.errors import EngineError
from tests.engines.conftest import PROMPTS, Loader, changed, spec

NOISE = ImageOptions(width=64, height=64, steps=1, task="noise")
STYLE = changed(NOISE, task="style")


@pytest.mark.parametrize(
    ("name", "options", "phases"),
    [
        ("tiny-stylegan2", NOISE, ["mapping", "synthesis"]),
        ("tiny-fast-style", STYLE, []),
        ("tiny-adain", STYLE, ["encoder", "decoder"]),
        ("tiny-sam", changed(NOISE, task="segment"), ["encoder", "decoder"]),
    ],
)
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_a_network_makes_pictures_in_one_pass(
    loaded: Loader, name: str, options: ImageOptions, phases: list[str], dtype: str
) -> None:
    engine = loaded(spec(name, options, dtype=dtype))
    made = engine.generate(PROMPTS, 0)
    assert engine.inspect(made).problems == ()
    assert made.payload.pixels.shape == (2, 64, 64, 3)
    assert made.payload.pixels.std() > 0 or options.task == "segment"
    assert [phase.name for phase in made.phases] == phases
    assert (made.payload.pixels == engine.generate(PROMPTS, 0).payload.pixels).all()


@pytest.mark.parametrize(
    ("network", "published"),
    [
        # The count that the published code prints for its generator at these sizes.
        (lambda: StyleGan2Generator(256), 30_034_338),
        (lambda: StyleGan2Generator(1024), 30_370_060),
        # PyTorch's own example of the transformation network.
        (TransformationNetwork, 1_679_235),
        # VGG-19 to relu4_1 with a 1x1 convolution before it, and its mirror.
        (lambda: AdaptiveStyle().encoder, 3_505_740),
        (lambda: AdaptiveStyle().decoder, 3_505_219),
    ],
)
def test_layer_sizes_give_the_published_counts(network: Any, published: int) -> None:
    with torch.device("meta"):
        counted = sum(parameter.numel() for parameter in network().parameters())
    assert counted == published


def test_diffusers_keeps_the_embeddings_of_dit_once_a_block() -> None:
    """Published are 675 M; 28 blocks keep class table and step MLP, of which one set was trained."""
    (transformer, _) = architectures.load("dit-xl-2-256").components
    width, steps_width = 1152, 256
    table = 1001 * width
    mlp = (steps_width + 1) * width + (width + 1) * width
    assert (transformer.parameters - 27 * (table + mlp)) / 1e6 == pytest.approx(675, rel=0.002)


def generator(**config: Any) -> StyleGan2Generator:
    made = StyleGan2Generator(
        **{"side": 32, "latent": 16, "mapping_layers": 2, "channels_base": 256} | config
    )
    random_weights.fill(made, torch.float32, {"": "cpu"}, seed=1)
    return made.eval()


def test_a_generator_doubles_its_sides_with_a_blur_that_keeps_the_mean() -> None:
    from bench.engines.picture.networks.stylegan2 import doubled

    plain = torch.full((1, 3, 8, 8), 0.5)
    inner = doubled(plain)[:, :, 2:-2, 2:-2]
    assert inner.shape[2:] == (12, 12)
    assert torch.allclose(inner, torch.full_like(inner, 0.5))


def test_items_of_a_batch_are_those_made_alone_and_follow_their_noise() -> None:
    network = generator()
    noise = torch.randn(3, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        together, alone = network(noise), torch.cat([network(row[None]) for row in noise])
    assert torch.allclose(together, alone, atol=1e-4)
    assert (together[0] - together[1]).abs().mean() > 0.01


def test_modulated_features_have_unit_variance() -> None:
    """What demodulation is for: however large the style, the next layer gets numbers of one size."""
    from bench.engines.picture.networks.stylegan2 import Modulated

    layer = Modulated(64, 64, 16, 32)
    layer.noise_strength.data.zero_()
    given = torch.randn(2, 64, 32, 32)
    for size in (1.0, 50.0):
        styles = torch.randn(2, 16) * size
        kernels = layer.weight[None] * layer.style(styles)[:, None, :, None, None]
        assert kernels.std() > 0.5
        made = layer(given, styles)
        # The leaky ReLU's gain keeps the second moment of normal numbers.
        assert made.square().mean().item() == pytest.approx(1.04, rel=0.15)


def test_a_side_that_is_no_power_of_two_is_refused() -> None:
    with pytest.raises(ValueError, match="a side of 48 is not a power of two from 4"):
        StyleGan2Generator(48)


def test_adaptive_style_takes_mean_and_deviation_from_the_style() -> None:
    from bench.engines.picture.networks.adain import _renormalised

    content, style = torch.randn(2, 8, 16, 16) * 3 + 1, torch.rand(2, 8, 12, 12) * 5
    made = _renormalised(content, style)
    assert torch.allclose(made.mean((2, 3)), style.mean((2, 3)), atol=1e-3)
    assert torch.allclose(made.std((2, 3)), style.std((2, 3)), atol=1e-3)


def test_another_style_picture_makes_another_picture(loaded: Loader, tmp_path: Path) -> None:
    drawn.source(40, 30, 2).save(tmp_path / "own.png")
    own = changed(STYLE, style_picture=str(tmp_path / "own.png"))
    one, other = (loaded(spec("tiny-adain", asked, seed=2)).generate(PROMPTS, 0) for asked in (STYLE, own))
    assert (one.payload.pixels != other.payload.pixels).any()


SEGMENT = changed(NOISE, task="segment", width=96)


def test_a_mask_is_black_and_white_and_of_the_picture_s_size(tmp_path: Path) -> None:
    """Random numbers draw one half white, or the other: the scores lie around zero."""
    shares = []
    for seed in range(4):
        engine = create(spec("tiny-sam", SEGMENT, seed=seed))
        engine.load()
        pixels = engine.generate(PROMPTS, 0).payload.pixels
        assert pixels.shape == (2, 64, 96, 3)
        assert set(np.unique(pixels)) <= {0, 255}
        shares.append((pixels > 0).mean())
    assert any(0 < share < 1 for share in shares)


def test_a_saved_segmenter_loads_from_its_folder_without_a_tokenizer(tmp_path: Path) -> None:
    random: Any = create(spec("tiny-sam", SEGMENT, seed=3))
    random.load()
    random._ready().module.sam.save_pretrained(tmp_path)
    real = create(EngineSpec("sam", Weights(kind="path", path=str(tmp_path)), SEGMENT, "float32", 2))
    real.load()
    assert (real.generate(PROMPTS, 0).payload.pixels == random.generate(PROMPTS, 0).payload.pixels).all()


def test_nan_in_a_mask_is_a_problem(loaded: Loader) -> None:
    engine: Any = loaded(spec("tiny-sam", SEGMENT))
    for parameter in engine._ready().module.sam.mask_decoder.parameters():
        parameter.data.fill_(float("nan"))
    problems = engine.inspect(engine.generate(PROMPTS, 0)).problems
    assert problems == tuple(f"Item {i}: the picture contains NaN or infinity." for i in (0, 1))


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("tiny-sam", {}, "tiny-sam cannot do the task style. Use the task segment."),
        ("tiny-adain", {"task": "segment"}, "cannot do the task segment. Use the task style."),
        ("tiny-stable-diffusion", {"task": "segment"}, "StableDiffusionPipeline cannot do the task segment"),
        ("tiny-adain", {"style_picture": __file__}, "cannot be used: not a picture. Give a PNG or JPEG"),
        ("tiny-adain", {"style_picture": "/no/such.png"}, "/no/such.png cannot be used: No such file"),
        ("tiny-fast-style", {"style_picture": __file__}, "takes no style picture"),
        ("tiny-stable-diffusion", {"style_picture": __file__}, "takes no style picture"),
        ("tiny-stylegan2", {}, "tiny-stylegan2 cannot do the task style. Use the task noise."),
        ("tiny-adain", {"steps": 4}, "in one pass, not in 4. Use --steps 1."),
        ("tiny-adain", {"scheduler": "DDIMScheduler"}, "nothing that scheduler could change"),
        ("tiny-adain", {"strength": 0.5}, "nothing that strength could change"),
    ],
)
def test_what_a_network_cannot_use_is_refused(name: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(EngineError) as caught:
        create(spec(name, changed(STYLE, **options))).load()
    assert says in str(caught.value).replace("a-model", name)


class Toy(nn.Module):
    """Noise to a picture, by one product."""

    def __init__(self) -> None:
        super().__init__()
        self.product = nn.Linear(24, 3 * 64 * 64)

    def forward(self, noise: Tensor) -> Tensor:
        made: Tensor = self.product(noise)
        return made.sigmoid().reshape(-1, 3, 64, 64)


def of_file(file: Path, options: ImageOptions = NOISE, dtype: Any = "float32", batch: int = 2) -> EngineSpec:
    return EngineSpec("a-network", Weights(kind="path", path=str(file)), options, dtype, batch)


def exported(network: nn.Module, file: Path, *examples: Tensor) -> Path:
    batch = torch.export.Dim("batch")
    program = torch.export.export(network, examples, dynamic_shapes=tuple({0: batch} for _ in examples))
    torch.export.save(program, file)
    return file


def scripted(network: nn.Module, file: Path, example: Tensor) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a deprecated way, and of branches that a trace fixes
        traced: Any = torch.jit.trace(network, example)  # type: ignore[no-untyped-call]
        traced.save(str(file))
    return file


def test_an_exported_program_runs_with_the_noise_that_it_states(loaded: Loader, tmp_path: Path) -> None:
    toy = Toy().eval()
    file = exported(toy, tmp_path / "toy.pt2", torch.randn(2, 24))
    engine = create(of_file(file))
    ready = engine.load()
    assert ready.parameters == {"network": 25 * 3 * 64 * 64}
    assert (ready.revision or "").startswith("sha256:")
    made = engine.generate(PROMPTS, 7)
    assert engine.inspect(made).problems == ()
    noise = torch.stack([torch.randn(24, generator=torch.Generator().manual_seed(7 + i)) for i in (0, 1)])
    with torch.no_grad():
        expected = (toy(noise) * 255).round().permute(0, 2, 3, 1).numpy()
    assert np.abs(made.payload.pixels - expected).max() <= 1
    engine.unload()


def test_an_exported_style_network_gets_picture_and_style(tmp_path: Path) -> None:
    network = AdaptiveStyle(width=4)
    random_weights.fill(network, torch.float32, {"": "cpu"}, seed=0)
    picture = torch.rand(2, 3, 64, 64)
    file = exported(network.eval(), tmp_path / "adain.pt2", picture, picture)
    engine = create(of_file(file, STYLE))
    engine.load()
    own = create(spec("tiny-adain", STYLE))
    own.load()
    assert engine.generate(PROMPTS, 0).payload.pixels.shape == own.generate(PROMPTS, 0).payload.pixels.shape


def test_torchscript_runs_on_pictures(tmp_path: Path) -> None:
    network = TransformationNetwork(width=4, blocks=1)
    random_weights.fill(network, torch.float32, {"": "cpu"}, seed=0)
    file = scripted(network.eval(), tmp_path / "style.ts", torch.rand(2, 3, 64, 64))
    engine = create(of_file(file, STYLE))
    engine.load()
    made = engine.generate(PROMPTS, 0)
    assert engine.inspect(made).problems == ()
    inputs = [drawn.source(64, 64, len(prompt) % 4) for prompt in PROMPTS]
    with torch.no_grad():
        expected = network(
            torch.from_numpy(np.stack([np.asarray(one) for one in inputs])).permute(0, 3, 1, 2) / 255
        )
    assert np.abs(made.payload.pixels - (expected * 255).round().permute(0, 2, 3, 1).numpy()).max() <= 1


class Bomb:
    """What a pickle can do to whoever opens it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def bombed(file: Path, into: str, content: bytes) -> Path:
    """The archive with another content of one of its files."""
    import zipfile

    with zipfile.ZipFile(file) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    (name,) = [name for name in parts if name.endswith(into)]
    with zipfile.ZipFile(file, "w") as new:
        for each, kept in parts.items():
            new.writestr(each, content if each == name else kept)
    return file


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    mark = tmp_path / "opened"
    plain = tmp_path / "plain.pt"
    torch.save({"network": Bomb(mark)}, plain)
    bare = tmp_path / "bare.pkl"
    bare.write_bytes(pickle.dumps(Bomb(mark)))
    weights = tmp_path / "weights.pth"
    torch.save(Toy().state_dict(), weights)
    inputs = bombed(
        exported(Toy().eval(), tmp_path / "inputs.pt2", torch.randn(2, 24)),
        "sample_inputs/model.pt",
        plain.read_bytes(),
    )
    for file, says in (
        (plain, "contains pickled weights (torch.save), which can run any code"),
        (weights, "contains pickled weights (torch.save), which can run any code"),
        (bare, "bare.pkl is neither: a network is loaded from torch.export or TorchScript files only"),
        (inputs, "contains a pickle (data/sample_inputs/model.pt), which can run any code"),
    ):
        with pytest.raises(EngineError) as caught:
            create(of_file(file)).load()
        assert says in str(caught.value)
        assert caught.value.missing
        assert not mark.exists()


def test_another_dtype_and_a_wrong_batch_are_sentences(tmp_path: Path) -> None:
    file = exported(Toy().eval(), tmp_path / "toy.pt2", torch.randn(2, 24))
    with pytest.raises(EngineError, match=r"toy\.pt2 contains float32, not bfloat16\. Use --dtype float32"):
        create(of_file(file, dtype="bfloat16")).load()
    fixed = tmp_path / "fixed.pt2"
    torch.export.save(torch.export.export(Toy().eval(), (torch.randn(2, 24),)), fixed)
    engine = create(of_file(fixed))
    engine.load()
    with pytest.raises(EngineError, match="a-network failed in stage generate"):
        engine.generate(PROMPTS[:1], 0)
