"""`import` as it is typed, on small files of the shape of real ones, and where its rows stand afterwards."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.compare.reference_rows import SHOWN
from tests.cli.commands import command
from tests.cli.conftest import Typed
from tests.cli.footprint.imports import LINE, PHASE, emissions, rows
from tests.compare.machines import on
from tests.support.elsewhere import IMAGE
from tests.support.factory import case
from tests.support.sample import save

TASK = {"task": "text-to-image", "architecture": "diffusion", "configurations": [IMAGE]}
SERVED = {
    "avg_output_len": 646.6,
    "energy_per_request_joules": 287.1,
    "energy_per_token_joules": 0.444,
    "gpu_model": "H100",
    "max_num_seqs": 8,
    "median_itl_ms": 8.2,
    "p99_itl_ms": 13.1,
    "num_gpus": 1,
    "parallelization": {"data_parallel": 1, "notes": ""},
    "output_length_distribution": {"bins": [2.0], "counts": [1]},
}
MODEL = {
    "task": "lm-arena-chat",
    "model_id": "Qwen/Qwen3-8B",
    "weight_precision": "bfloat16",
    "configurations": [SERVED],
}
VIDEO = {
    "task": "text-to-video",
    "configurations": [
        {
            "model_id": "a/b",
            "gpu_model": "H100",
            "num_gpus": 4,
            "energy_per_video_joules": 900,
            "num_frames": 48,
            "fps": 16,
        }
    ],
}
WEIGHTS = {"kind": "hub", "revision": "a" * 40, "variant": None, "architecture": None, "fingerprint": None}


def test_a_task_of_mlenergy_is_a_row_a_configuration_with_its_conditions(typed: Typed, kept: Any) -> None:
    (row,) = rows(typed, kept(TASK))
    assert (row["value"], row["value_unit"], row["unit"], row["scope"]) == (344.3, "J", "image", "gpu")
    assert row["system"] == IMAGE["model_id"]
    assert row["hardware"] == "1x B200"
    assert row["idle_inside"]
    conditions = row["conditions"]
    assert [conditions[key] for key in ("batch", "steps", "width_px", "latency_s")] == [2, 20, 1024, 1.05]
    assert "leaves out CPU" in row["boundary"]


def test_a_model_of_mlenergy_gives_tokens_and_requests_and_a_video_its_seconds(
    typed: Typed, kept: Any
) -> None:
    token, request = sorted(rows(typed, kept(MODEL)), key=lambda row: float(row["value"]))
    assert (token["unit"], token["value"], request["unit"]) == ("output_token", 0.444, "request")
    assert token["conditions"]["max_num_seqs"] == 8
    assert token["conditions"]["itl_p99_ms"] == 13.1
    assert token["conditions"]["avg_output_tokens"] == 646.6
    assert "vLLM" in token["boundary"]
    whole, second = rows(typed, kept(VIDEO))
    assert (whole["value"], second["value"], second["unit"]) == (900, 300, "video_second")
    assert second["evidence"] == "derived"


def test_codecarbon_is_a_run_of_cards_and_of_the_host_until_items_are_stated(typed: Typed, kept: Any) -> None:
    path = kept(emissions(LINE), "emissions.csv")
    gpu, host = rows(typed, path)
    assert [(row["scope"], row["unit"], row["value"]) for row in (gpu, host)] == [
        ("gpu", "run", 0.0012),
        ("host", "run", 0.002),
    ]
    assert gpu["year"] == 2023
    assert "all cards of the machine, 8, working or not" in gpu["boundary"]
    assert "RAM (a formula, not metered)" in host["boundary"]
    assert gpu["hardware"] == "8 x NVIDIA A100-SXM4-80GB"
    stated, _ = rows(typed, path, "--items", "1000", "--unit", "image", "--task", "query model")
    assert (stated["unit"], stated["count"], stated["evidence"]) == ("image", 1000, "stated")
    refused = typed(
        "footprint",
        "import",
        kept(emissions(LINE, LINE | {"task_name": "load"})),
        "--items",
        "9",
        "--unit",
        "x",
    )
    assert (refused.status, refused.out) == (2, "")
    assert "--items is of one line, and there are 2 (tasks 'query model', 'load')" in refused.err


def test_a_card_that_codecarbon_did_not_see_has_no_figure_rather_than_zero(typed: Typed, kept: Any) -> None:
    gpu, host = rows(typed, kept(emissions(LINE | {"gpu_energy": "0.0", "energy_consumed": "0.0008"})))
    assert "value" not in gpu
    assert "nothing was metered" in gpu["note"]
    assert host["value"] == 0.0008
    assert "CPU without any card" in host["boundary"]


def test_optimum_benchmark_is_counted_by_its_own_efficiency(typed: Typed, kept: Any) -> None:
    gpu, host = rows(typed, kept({"decode": PHASE}), "--system", "Qwen/Qwen3-8B")
    assert (gpu["unit"], gpu["system"], gpu["scope"]) == ("output_token", "Qwen/Qwen3-8B", "gpu")
    assert gpu["value"] == pytest.approx(0.002 / 1000)
    assert host["value"] == pytest.approx(0.004 / 1000)
    assert host["evidence"] == "derived"
    backend = {"config": {"backend": {"model": "a/b", "name": "pytorch"}}, "report": {"forward": PHASE}}
    named, _ = rows(typed, kept(backend))
    assert (named["system"], named["conditions"]["engine"]) == ("a/b", "pytorch")


BAD: list[tuple[Any, str]] = [
    ("", "it is empty."),
    ('{"task": "x", "configura', "not a JSON file"),
    ("[" * 100_000, "not a JSON file"),
    ("a,b\n1,2\n", "it is of no format that is read here."),
    ([1, 2], "it is of no format that is read here. What is read"),
    ({"schema": "joulebench/record/1"}, "it is joulebench's own"),
    (emissions(), "it has a heading and no lines."),
    (emissions() + "1,2\n", "line 2 has not as many columns as the heading."),
    (emissions(LINE | {"gpu_energy": "nan"}), 'line 2: `gpu_energy` is "nan", no number'),
    (emissions(LINE | {"gpu_energy": "-1"}), 'line 2: `gpu_energy` is "-1", no number'),
    (emissions(LINE | {"energy_consumed": "0"}), "Units are mixed"),
    (emissions(LINE | {"gpu_energy": "4320"}), "Units are mixed, or the line was edited."),
    (TASK | {"configurations": []}, "`configurations` is not a list, or an empty one."),
    (TASK | {"configurations": [7]}, "configuration 1 is not a mapping."),
    (TASK | {"configurations": [IMAGE | {"energy_per_image_joules": 1e300}]}, "no number from 0 to 1e+15"),
    (TASK | {"configurations": [IMAGE | {"energy_per_image_joules": True}]}, '"True", no number'),
    (TASK | {"configurations": [IMAGE | {"model_id": None}]}, "`model_id` is missing, no text."),
    (json.dumps(TASK).replace("344.3", "NaN"), "NaN is not a number in JSON"),
    ({"decode": PHASE | {"energy": None}}, "no phase has an energy."),
    (
        {"decode": PHASE | {"energy": {"unit": "J", "gpu": 2}}},
        "its energy is not cpu, gpu, ram, total, unit in kWh",
    ),
    ({"decode": PHASE | {"carbon": 1}}, "decode: `carbon` is unknown."),
]


@pytest.mark.parametrize(("content", "says"), BAD, ids=[says for _, says in BAD])
def test_a_bad_file_is_one_sentence_and_the_rest_is_written(
    content: Any, says: str, typed: Typed, kept: Any, tmp_path: Path
) -> None:
    bad, good = kept(content, "bad"), kept(TASK)
    done = typed("footprint", "import", bad, good, "-o", tmp_path / "refs.yaml")
    assert done.status == 2
    assert f"Error: {bad}: " in done.err
    assert says in done.err
    assert "1 reference rows; none is a measurement of ours." in done.err
    assert len(yaml.safe_load((tmp_path / "refs.yaml").read_text())["figures"]) == 1


def test_rows_that_say_the_same_count_once_and_those_that_differ_are_told_apart(
    typed: Typed, kept: Any
) -> None:
    twice = TASK | {"configurations": [IMAGE, IMAGE, IMAGE | {"energy_per_image_joules": 350.0}]}
    done = typed("footprint", "import", kept(twice))
    assert "1 rows are the same as others; they count once." in done.err
    ids = [row["id"] for row in yaml.safe_load(done.out)["figures"]]
    assert len(set(ids)) == 2


@pytest.mark.parametrize("verb", ["validate", "compare", "show"])
def test_no_verb_takes_another_tools_file_for_a_record(verb: str, typed: Typed, kept: Any) -> None:
    path = kept(TASK)
    done = typed(verb, *([path, path] if verb == "compare" else [path]))
    assert done.status == 2
    if verb != "show":
        assert "a file of the ML.ENERGY leaderboard v3, no record of joulebench" in done.err.replace(
            "a task's or a model's file", "a file"
        )


@pytest.fixture
def boards(tmp_path: Path) -> Path:
    """Qwen3 8B on two machines, and an image model on one."""
    qwen = case(model="qwen3-8b", weights=WEIGHTS | {"hub_id": "Qwen/Qwen3-8B"})
    for name, joules in (("NVIDIA H100 80GB HBM3", 300), ("RTX 4090", 600)):
        save(tmp_path / "r" / f"{name}.json", on(name, joules, case=qwen, label="qwen"))
    options = {"steps": 1, "width": 512, "height": 512}
    weights = WEIGHTS | {"hub_id": "stabilityai/sdxl-turbo"}
    turbo = case(model="sdxl-turbo", engine="image", unit="image", weights=weights, options=options)
    save(tmp_path / "r" / "turbo.json", on("RTX 4090", 200, case=turbo, label="turbo"))
    return tmp_path / "r"


def test_references_stand_hatched_beneath_a_ranking_and_are_never_ranked(
    typed: Typed, kept: Any, boards: Path, tmp_path: Path
) -> None:
    refs = tmp_path / "refs.yaml"
    said = typed(
        "footprint",
        "import",
        kept(MODEL),
        "-o",
        refs,
        "--source",
        "The leaderboard",
        "--url",
        "https://ml.energy",
    )
    assert said.err.splitlines()[0] == str(refs)
    plain = typed("compare", "--across-hardware", boards)
    assert "░" not in plain.out
    text = " ".join(typed("compare", "--across-hardware", boards, "--references", refs).out.split())
    assert re.search(r"░ qwen page gpu 148 [^;]* 1x H100", text), "0.444 J a token, 333 tokens a page"
    assert "unlike conditions: per output token, 333" in text
    assert "not measured here, not ranked" in text
    save(tmp_path / "other" / "a.json", on("RTX 4090", 300))
    none = typed("compare", "--across-hardware", tmp_path / "other", "--references", refs)
    assert "no reference row is of a model, scope and unit of this board." in none.out
    found = json.loads(typed("compare", "--across-hardware", boards, "--reference-rows", "--json").out)
    by_label = {board["label"]: board for board in found["boards"]}
    turbo = {each["row"]["source"]: each for each in by_label["turbo"]["references"]}
    assert turbo["aienergyscore2025"]["ratio"] == pytest.approx(0.38557 * 3600 / 200, rel=1e-3)
    assert "on H100-80GB" in turbo["aienergyscore2025"]["unlike_conditions"]
    assert "steps 25, not 1" in turbo["mlenergy2"]["unlike_conditions"]
    assert all(each["ratio"] is None for each in by_label["qwen"]["references"]), "tokens are no pages"
    assert {name: len(board["standings"]) for name, board in by_label.items()} == {"qwen": 2, "turbo": 1}


def test_the_report_and_the_published_figures_show_imported_rows_with_their_source(
    typed: Typed, kept: Any, boards: Path, tmp_path: Path
) -> None:
    refs = tmp_path / "refs.yaml"
    typed(
        "footprint",
        "import",
        kept(MODEL),
        "-o",
        refs,
        "--source",
        "The leaderboard",
        "--url",
        "https://ml.energy",
    )
    made = tmp_path / "report.md"
    assert typed("report", boards, "--references", refs, "--format", "md", "-o", made).status == 0
    text = made.read_text()
    assert "| ░ qwen | page | gpu | 148 |" in text
    assert "The leaderboard; ML.ENERGY leaderboard v3 data" in text
    shown = json.loads(
        typed("footprint", "published", "--references", refs, "--modality", "text", "--json").out
    )
    imported = [row for row in shown["published"] if row["source"]["citation"].startswith("The leaderboard")]
    (row,) = [row for row in imported if row["unit"] == "output_token" and row["value"] == 0.444]
    assert row["source"]["url"] == "https://ml.energy"
    assert "sha256" in row["source"]["citation"]


def test_what_is_no_file_of_reference_rows_is_refused(typed: Typed, kept: Any, boards: Path) -> None:
    for content in (TASK, "a: [", "schema: joulebench/references/1\nsources: {}\nfigures: [{id: x}]"):
        done = typed("footprint", "published", "--references", kept(content))
        assert (done.status, done.out) == (2, "")
        assert len(done.err.splitlines()) == 1
    named = "id: x, source: me, evidence: stated, system: s, modality: text, boundary: b"
    row = f"{named}, scope: gpu, unit: page, value_unit: J"
    for sources, more, sentence in (
        ("{}", "value: 1", "sources: the source of x, me, is not among them"),
        ("{tomlinson2024: {citation: me}}", "value: 1", "tomlinson2024 is another source's key already"),
        ("{me: {citation: me}}", "value: -1", "a figure of -1 is none"),
        ("{me: {citation: me}}", "value: 1, low: 2", "1.0 is outside 2.0 to 1.0"),
    ):
        text = f"schema: joulebench/references/1\nsources: {sources}\nfigures: [{{{row}, {more}}}]"
        done = typed("footprint", "published", "--references", kept(text))
        assert (done.status, done.out, len(done.err.splitlines())) == (2, "", 1)
        assert sentence in done.err
    assert "Add --across-hardware." in typed("compare", boards, boards, "--reference-rows").err
    assert "belong together" in typed("footprint", "import", kept(TASK), "--items", "3").err
    assert "--system is not for" in typed("footprint", "import", kept(TASK), "--system", "x").err
    assert "cannot be written" in typed("footprint", "import", kept(TASK), "-o", "none/refs.yaml").err


def test_the_document_names_every_option_and_format_and_none_that_does_not_exist() -> None:
    text = (Path(__file__).parents[3] / "docs" / "import.md").read_text(encoding="utf-8")
    known = {
        name
        for parameter in command("footprint import").params
        for name in parameter.opts
        if name.startswith("--")
    }
    named = set(re.findall(r"(?<!-)--[a-z][a-z-]+", text))
    assert known - named == {"--output", "--debug"}
    assert named - known == {"--references", "--across-hardware", "--reference-rows", "--reference", "--json"}
    assert "The six nearest" in text
    assert SHOWN == 6
    assert all(word in text for word in ("ML.ENERGY", "optimum-benchmark", "CodeCarbon", "aiperf"))
