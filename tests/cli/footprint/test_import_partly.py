"""`import` of files that can be read in part, or that a spreadsheet wrote: what is taken, what is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Typed
from tests.cli.footprint.imports import LINE, PHASE, emissions, rows

HEADING, GOOD = emissions(LINE).splitlines()
GPU_KWH = float(LINE["gpu_energy"])


def one_line(line: dict[str, str], delimiter: str = ",") -> str:
    """A heading and a line of just these columns."""
    return f"{delimiter.join(line)}\n{delimiter.join(line.values())}\n"


def only_good(typed: Typed, path: Path, sentence: str) -> None:
    """The good line's rows are written, the bad line is named, and the status says so."""
    done = typed("footprint", "import", path)
    found = yaml.safe_load(done.out)["figures"]
    assert [row["value"] for row in found if row["scope"] == "gpu"] == [pytest.approx(GPU_KWH)]
    assert sentence in done.err
    assert done.status == 2


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("1,2", "line 3 has not as many columns as the heading"),
        (GOOD + GOOD, "line 3 has not as many columns as the heading"),
        (
            emissions(LINE | {"cpu_energy": "-253"}).splitlines()[1],
            'line 3: `cpu_energy` is "-253", no number',
        ),
        (emissions(LINE | {"gpu_energy": "4320"}).splitlines()[1], "line 3: energy_consumed is"),
    ],
)
def test_one_bad_line_is_left_out_and_named(typed: Typed, kept: Any, line: str, sentence: str) -> None:
    only_good(typed, kept(f"{HEADING}\n{GOOD}\n{line}\n"), sentence)


def test_a_heading_repeated_within_the_file_is_no_line(typed: Typed, kept: Any) -> None:
    assert len(rows(typed, kept(f"{HEADING}\n{GOOD}\n{HEADING}\n"))) == 2


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("decimal", [".", ","])
def test_a_spreadsheet_parts_columns_and_decimals_in_its_own_way(
    typed: Typed, kept: Any, delimiter: str, decimal: str
) -> None:
    numbers = {"duration", "cpu_energy", "gpu_energy", "ram_energy", "energy_consumed"}
    line = {name: value.replace(".", decimal) if name in numbers else value for name, value in LINE.items()}
    plain = rows(typed, kept(emissions(LINE)))
    found = rows(typed, kept(one_line(line, delimiter), "parted"))
    assert [row["value"] for row in found] == [row["value"] for row in plain]


def test_the_first_versions_of_codecarbon_2_name_no_version(typed: Typed, kept: Any) -> None:
    done = typed(
        "footprint",
        "import",
        kept(one_line({k: v for k, v in LINE.items() if k != "codecarbon_version"})),
    )
    assert done.status == 0
    document = yaml.safe_load(done.out)
    assert document["figures"][0]["value"] == pytest.approx(GPU_KWH)
    assert "CodeCarbon version not stated" in str(document["sources"])


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "utf-8-sig"])
def test_the_encodings_of_spreadsheets_are_read(typed: Typed, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "emissions.csv"
    path.write_bytes(emissions(LINE | {"project_name": "Größe"}).encode(encoding))
    done = typed("footprint", "import", path)
    assert (done.status, len(yaml.safe_load(done.out)["figures"])) == (0, 2)
    assert ("U+FFFD" in done.err) == (encoding == "latin-1")


def test_a_pue_applied_to_the_whole_alone_is_taken_out_of_it_alone(typed: Typed, kept: Any) -> None:
    plain = rows(typed, kept(one_line(LINE | {"pue": "1.0"})))
    whole = str(1.5 * float(LINE["energy_consumed"]))
    found = rows(typed, kept(one_line(LINE | {"pue": "1.5", "energy_consumed": whole}), "pue"))
    assert [row["value"] for row in found] == [pytest.approx(row["value"]) for row in plain]


MEASURE = {"unit": "kWh", "cpu": 0.001, "ram": 0.001, "gpu": 0.002, "total": 0.004}


@pytest.mark.parametrize("broken", [0.0, -0.002])
def test_repetitions_that_were_not_metered_are_left_out_of_the_mean(
    typed: Typed, kept: Any, broken: float
) -> None:
    bad = MEASURE | {"gpu": broken, "total": broken}
    mean_gpu, mean_total = (4 * 0.002 + broken) / 5, (4 * 0.004 + broken) / 5
    energy = MEASURE | {"gpu": mean_gpu, "total": mean_total}
    efficiency = {"unit": "tokens/kWh", "value": 1000 / mean_total}
    phase = PHASE | {"energy": energy, "efficiency": efficiency}
    done = typed("footprint", "import", kept({"decode": phase | {"measures": [MEASURE] * 4 + [bad]}}))
    gpu, host = yaml.safe_load(done.out)["figures"]
    assert gpu["value"] == pytest.approx(0.002 / 1000)
    assert host["value"] == pytest.approx(0.004 / 1000)
    assert "1 of 5 repetitions were not metered" in done.err
    assert "1 of 5 repetitions" in gpu["note"]
    assert done.status == 2
    none = typed("footprint", "import", kept({"decode": phase | {"measures": [bad]}}, "none"))
    assert "none of its 1 repetitions was metered" in none.err
    assert (none.status, none.out) == (2, "")


def test_a_report_of_repetitions_that_agree_is_read_as_one_without_them(typed: Typed, kept: Any) -> None:
    listed = rows(typed, kept({"decode": PHASE | {"measures": [PHASE["energy"]] * 3}}))
    plain = rows(typed, kept({"decode": PHASE}, "plain"))
    assert [row["value"] for row in listed] == [row["value"] for row in plain]


def test_a_phase_that_cannot_be_read_leaves_the_others(typed: Typed, kept: Any) -> None:
    done = typed("footprint", "import", kept({"prefill": PHASE | {"carbon": 1}, "decode": PHASE}))
    assert {row["at"] for row in yaml.safe_load(done.out)["figures"]} == {"decode"}
    assert "prefill: `carbon` is unknown. It is left out." in done.err
    assert done.status == 2
