"""Every format against the rules of the program that reads it."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from codecarbon.output_methods.emissions_data import EmissionsData

from bench.cli.export_formats import FORMATS
from bench.compare import comparison, record_row
from bench.compare.record_set import RecordSet, StoredRecord
from bench.core.record import Record
from bench.dependencies import install_command
from bench.errors import PrerequisiteError, UsageError
from bench.exports import junit
from bench.view.ci_summary import github_summary
from tests.support.factory import CPU, GPU, RAM, block, case, energy, record
from tests.support.sample import save

ODD = 'a "b" \\ c|d <e> [f](g) @h\n漢 \x00'


def found(*records: Record) -> list[StoredRecord]:
    """Records as they would have been loaded."""
    return [StoredRecord(each, f"{n}.json", f"digest{n}") for n, each in enumerate(records)]


def result(*pairs: tuple[Record, Record]) -> comparison.ComparisonResult:
    """A comparison of sides made of these."""
    sides = [
        RecordSet(
            label,
            tuple(StoredRecord(pair[at], f"{label}/{n}.json", f"{label}{n}") for n, pair in enumerate(pairs)),
            (),
            (),
            Path(),
        )
        for at, label in ((0, "base"), (1, "head"))
    ]
    return comparison.compare(*sides)


def steady(joules: float, **more: Any) -> Record:
    """A record whose blocks hardly spread."""
    return record(blocks=[block(joules * factor) for factor in (0.999, 1.0, 1.001, 1.0, 1.0005)], **more)


def records_format(name: str) -> Callable[[list[StoredRecord]], bytes]:
    """The function behind a format of records."""
    write = FORMATS[name].of_records
    assert write is not None
    return write


def test_a_format_is_of_records_or_of_a_comparison() -> None:
    assert all((each.of_records is None) != (each.of_comparison is None) for each in FORMATS.values())


def test_csv_and_json_lines_hold_the_same_rows_and_null_where_nothing_is_known() -> None:
    given = found(record(), record(label=ODD, blocks=[], status="invalid"))
    table = list(csv.DictReader(io.StringIO(records_format("csv")(given).decode(), newline="")))
    lines = [json.loads(line) for line in records_format("jsonl")(given).decode().splitlines()]
    assert [list(line) for line in lines] == [list(record_row.COLUMNS)] * 2
    assert table[0]["energy_per_unit_j"] == "300.0"
    assert (table[1]["label"], table[1]["energy_per_unit_j"]) == (ODD.replace("\0", "\ufffd"), "")
    assert lines[1]["energy_per_unit_j"] is None
    for row, line in zip(table, lines, strict=True):
        shown = {key: "" if value is None else str(value) for key, value in line.items()}
        assert {key: value.replace("\0", "\ufffd") for key, value in shown.items()} == row
    headline = given[0].record.headline()
    assert headline is not None
    assert (lines[0]["energy_per_unit_low_j"], lines[0]["blocks"]) == (headline.low, 5)
    assert lines[0]["energy_per_unit_absolute_low_j"] < headline.low


def test_parquet_without_its_package_says_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(PrerequisiteError, match=re.escape(install_command("parquet"))):
        records_format("parquet")(found(record()))


def test_parquet_keeps_types_where_no_value_is_known() -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    table = pq.read_table(io.BytesIO(records_format("parquet")(found(record(), record(blocks=[])))))
    assert table.column_names == list(record_row.COLUMNS)
    assert str(table.schema.field("energy_per_token_j").type) == "double"
    assert table.column("energy_per_unit_j").to_pylist() == [300.0, None]


def test_parquet_has_no_secret_of_a_record_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setenv("DEPLOY_SECRET", "planted-secret")
    table = pq.read_table(io.BytesIO(records_format("parquet")(found(record(label="of planted-secret")))))
    assert table.column("label").to_pylist() == ["of ***"]


SAMPLE = re.compile(r'(\w+)\{((?:\w+="(?:[^"\\\n]|\\[\\"n])*",?)+)\} ([0-9.eE+-]+)(?: (\d+))?')


def test_openmetrics_keeps_to_its_grammar() -> None:
    lines = (
        records_format("openmetrics")(found(record(), record(label=ODD.replace("\x00", ""))))
        .decode()
        .split("\n")
    )
    assert lines[-2:] == ["# EOF", ""]
    families, samples = set(), []
    for line in lines[:-2]:
        if line.startswith("# TYPE "):
            families.add(line.split()[2])
        elif not line.startswith("#"):
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert match[1] in families, "a sample stands below its family"
            samples.append(match)
    units = {line.split()[2]: line.split()[3] for line in lines if line.startswith("# UNIT ")}
    assert all(family.endswith(f"_{units[family]}") for family in families)
    assert len({match[0].rpartition("} ")[0] for match in samples}) == len(samples), "no sample twice"
    energy_lines = [match for match in samples if match[1] == "joulebench_energy_per_unit_joules"]
    assert [float(match[3]) for match in energy_lines] == [300.0, 300.0]
    assert energy_lines[0][4] == "1769860800", "2026-01-31T12:00:00Z"


def test_github_benchmark_has_joules_and_seconds_one_way_and_rates_the_other() -> None:
    smaller = json.loads(records_format("github-benchmark")(found(record())))
    bigger = json.loads(records_format("github-benchmark-bigger")(found(record())))
    assert [(entry["unit"], entry["value"]) for entry in smaller] == [("J/page", 300.0), ("s/page", 30.0)]
    assert smaller[0]["range"].startswith("± 9.8")
    assert [entry["unit"] for entry in bigger] == ["page/s"]
    assert bigger[0]["value"] == pytest.approx(1 / 30)
    assert {type(entry["name"]) for entry in smaller + bigger} == {str}


def test_the_model_card_holds_grams_a_unit_and_says_that_it_is_inference() -> None:
    block_ = yaml.safe_load(records_format("model-card")(found(record())))["co2_eq_emissions"]
    assert block_["emissions"] == pytest.approx(300 / 3.6e6 * 360)
    assert "inference, not training; grams per page" in block_["source"]
    assert block_["geographical_location"] == "USA"


@pytest.mark.parametrize(
    "records",
    [
        (record(), record(label="b")),
        (record(carbon=None),),
        (record(case=case(weights=case()["weights"] | {"kind": "random"})),),
    ],
    ids=["two", "no grid factor", "random weights"],
)
def test_what_makes_no_model_card_is_wrong_use(records: tuple[Record, ...]) -> None:
    with pytest.raises(UsageError):
        records_format("model-card")(found(*records))


def test_ai_energy_score_counts_gpu_watt_hours_of_a_thousand_items() -> None:
    on_host = record(blocks=[block(energies={CPU: energy(300.0)})] * 5)
    batch = record(blocks=[block(300.0, items=4, units=8.0)] * 5)
    table = list(
        csv.DictReader(io.StringIO(records_format("ai-energy-score")(found(batch, on_host)).decode()))
    )
    assert len(table) == 1, "host figures are another scope"
    assert float(table[0]["gpu_energy_wh_per_1000"]) == pytest.approx(300 / 4 * 1000 / 3600)
    assert (table[0]["model"], table[0]["task"]) == ("bigscience/bloom-560m", "text_generation")
    with pytest.raises(UsageError, match="scope gpu"):
        records_format("ai-energy-score")(found(on_host))


def test_emissions_csv_has_codecarbons_columns_and_adds_up() -> None:
    energies = {GPU: energy(3600.0), CPU: energy(1800.0), RAM: energy(900.0, kind="estimated")}
    text = records_format("codecarbon")(found(record(blocks=[block(energies=energies)] * 4))).decode()
    table = list(csv.DictReader(io.StringIO(text)))
    assert set(table[0]) == {field.name for field in fields(EmissionsData)}
    row = {key: float(value) for key, value in table[0].items() if re.fullmatch(r"[0-9.e-]+", value)}
    assert row["gpu_energy"] == pytest.approx(4 * 3600 / 3.6e6)
    assert row["energy_consumed"] == pytest.approx(row["gpu_energy"] + row["cpu_energy"] + row["ram_energy"])
    assert row["emissions"] == pytest.approx(row["energy_consumed"] * 0.360)
    assert row["gpu_power"] == pytest.approx(120.0)
    assert (row["duration"], table[0]["water_consumed"]) == (120.0, "")


def test_emissions_csv_leaves_out_what_lacks_a_reading() -> None:
    lacking = record(blocks=[block(energies={GPU: energy(3600.0), CPU: energy(None)})] * 4, carbon=None)
    row = next(
        csv.DictReader(io.StringIO(records_format("codecarbon")(found(lacking, record(blocks=[]))).decode()))
    )
    assert (row["cpu_energy"], row["emissions"]) == ("", "")
    assert float(row["gpu_energy"]) == pytest.approx(0.004)


def test_junit_fails_what_is_worse_and_skips_what_is_unclear() -> None:
    noisy = record(blocks=[block(j) for j in (250.0, 400.0, 290.0, 330.0, 300.0)], case=case(batch=2))
    given = result(
        (steady(300, label=ODD), steady(330, label=ODD)),
        (steady(300, case=case(batch=2)), noisy),
        (steady(300, case=case(batch=3)), steady(300, case=case(batch=3), status="invalid")),
        (steady(300, case=case(batch=4, model="x")), steady(300, case=case(batch=5, model="x"))),
    )
    suite = ElementTree.fromstring(junit.junit(given)).find("testsuite")
    assert suite is not None
    tests = {(test.get("classname"), test.get("name")): [child.tag for child in test] for test in suite}
    odd = ODD.replace("\x00", "\ufffd")
    assert tests[(odd, "energy")] == ["failure"]
    assert tests[(odd, "time")] == []
    plain = [[child.tag for child in test] for test in suite]
    assert suite.get("tests") == str(len(plain))
    for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert suite.get(name) == str(plain.count([tag])) != "0"
    messages = [child.get("message") or "" for test in suite for child in test]
    assert any("batch: 4, 5" in message for message in messages)
    assert any("invalid" in message for message in messages)


def test_the_job_summary_begins_with_what_is_worse_and_escapes_what_is_markdown() -> None:
    given = result(
        (
            steady(300, case=case(batch=2), label="a calm case"),
            steady(300, case=case(batch=2), label="a calm case"),
        ),
        (steady(300, label=ODD), steady(330, label=ODD)),
    )
    text = github_summary(given).decode()
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert "1 worse, 1 same" in text
    assert "**worse**" in lines[1]
    assert "a calm case" in lines[-1]
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 8 for line in lines), "no label makes a column"
    assert "<e>" not in text
    assert "[f](g)" not in text


def test_a_summary_too_long_for_github_is_cut_and_says_so() -> None:
    one = result((steady(300), steady(330))).comparisons[0]
    many = comparison.ComparisonResult(
        RecordSet("a", (), (), (), Path()), RecordSet("b", (), (), (), Path()), (one,) * 3000
    )
    content = github_summary(many)
    assert len(content) < 2**20
    assert re.search(rb"\d+ further lines are left out", content)
    assert content.decode().count("|") % 8 == 0, "no half row"


def test_the_command_writes_a_file_or_stdout_and_names_what_it_could_not_read(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    from bench.cli import invoke

    a, b = save(tmp_path / "a.json", steady(300)), save(tmp_path / "b.json", steady(330))
    assert invoke(["export", "csv", str(a), str(b)]) == 0
    assert capfdbinary.readouterr().out.count(b"\n") == 3
    out = tmp_path / "out.xml"
    assert invoke(["export", "junit", str(a), str(b), "-o", str(out)]) == 0
    assert ElementTree.parse(out).find("testsuite/testcase/failure") is not None
    capfdbinary.readouterr()
    (tmp_path / "broken.json").write_text("{")
    assert invoke(["export", "jsonl", str(tmp_path)]) == 2
    said = capfdbinary.readouterr()
    assert (said.out.count(b"\n"), said.err.count(b"\n")) == (2, 1)
    (tmp_path / "empty").mkdir()
    assert invoke(["export", "csv", str(tmp_path / "empty")]) == 2
    assert invoke(["export", "junit", str(a)]) == 2
    assert invoke(["export", "csv", str(a), "-o", str(tmp_path / "none" / "x.csv")]) == 2
    assert invoke(["export", "xls", str(a)]) == 2
