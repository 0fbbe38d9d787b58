"""Figures as files: the same in SVG and PNG, with data that the drawing was made from."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image, ImageColor

from bench import __version__
from bench.store import results
from bench.view.charts import BLUE
from tests.cli.conftest import Typed
from tests.support.reported import measured
from tests.support.sample import save

pytest.importorskip("vl_convert", reason="the extra `report` is not installed")
pytest.importorskip("altair", reason="the extra `report` is not installed")


def test_each_figure_is_written_whole_in_every_form(typed: Typed, tmp_path: Path) -> None:
    folder = tmp_path / "results" / "machine"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(results.to_json(measured(300.0)))
    done = typed("charts", "-o", "drawn", "--grid", "400")
    assert (done.status, done.err) == (0, "")
    drawn = tmp_path / "drawn"
    assert done.out.splitlines()[-1] == "drawn/captions.md"
    captions = (drawn / "captions.md").read_text()
    names = re.findall(r"\*\*([\w.-]+)\*\*", captions)
    assert names[:2] == ["tomlinson2024-page", "tomlinson2024-image"]
    assert len(set(names)) == len(names)
    grams = [name for name in names if not re.search("joules|shares|energy", name)]
    assert captions.count("400 g CO2e/kWh") == len(grams) > 4, "joules depend on no grid"
    forms = {f"{name}.{form}" for name in names for form in ("svg", "png", "csv")}
    assert {path.name for path in drawn.iterdir()} == {"captions.md", *forms}
    for name in names:
        root = ElementTree.parse(drawn / f"{name}.svg").getroot()
        assert root.tag.endswith("svg")
        assert "hatch-c2620e" in {each.get("id") for each in root.iter()}
        assert (drawn / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader(io.StringIO((drawn / f"{names[0]}.csv").read_text(encoding="utf-8"))))
    assert float(rows[0]["J"]) == pytest.approx(303.6)
    with Image.open(drawn / f"{names[0]}.png") as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24) or ()}
    assert ImageColor.getrgb(BLUE) in colours, "fewer colours than drawn"
    first = (drawn / f"{names[0]}.svg").read_text(encoding="utf-8")
    for words in ("bloom-560m", "ChatGPT", "US person, top-down"):
        assert words in first
    assert "371 words/h" not in first, "people of other sources than the paper"
    for name in names:
        text = " ".join(ElementTree.parse(drawn / f"{name}.svg").getroot().itertext())
        for words in ("Licence: Apache-2.0", f"joulebench {__version__}"):
            assert words in text, name
        assert (drawn / f"{name}.png").stat().st_size < 500_000


def test_a_folder_that_cannot_be_made_is_one_sentence(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "file").write_text("")
    done = typed("charts", "-o", "file/inside")
    assert (done.status, done.out) == (2, "")
    assert "file/inside: cannot be written" in done.err


def test_a_secret_of_a_record_from_elsewhere_is_in_no_text_of_a_chart(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "results" / "a.json", measured(300.0, label="planted_secret"))
    monkeypatch.setenv("DEPLOY_SECRET", "planted_secret")
    assert typed("charts", "-o", "drawn").status == 0
    texts = [path.read_text() for path in (tmp_path / "drawn").iterdir() if path.suffix != ".png"]
    assert "***" in "".join(texts)
    assert not [text for text in texts if "planted_secret" in text.replace("\\", "")]
