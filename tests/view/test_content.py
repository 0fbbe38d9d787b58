"""What a report says, as Markdown shows it: figures, order, bad input, nothing at all."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.compare import accepted
from bench.compare.accepted import Accepted
from bench.compare.record_set import records_below
from bench.core import modalities
from bench.core.figures import Estimate
from bench.core.record import Record
from bench.core.repetition import Pair
from bench.footprint.grid import choose
from bench.store import traces as trace_files
from bench.store.traces import Samples
from bench.view.content import (
    LONGEST,
    CaseDetails,
    Chart,
    KeptOutput,
    Table,
    Timeline,
    Written,
    clean,
    every_part,
    raw,
    shown,
)
from bench.view.labels import apart
from bench.view.markdown import escaped, markdown
from bench.view.report import build, outputs_shown, traces
from bench.view.report.people_entries import of_paper
from bench.view.report.report_data import Settings
from bench.view.report.thinning import thinned
from tests.support.factory import GPU, case, record
from tests.support.reported import HOSTILE, hostile, measured, report, source, stored, toy, varied


def section(text: str, title: str) -> str:
    """What stands under a heading."""
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def table_of(records: list[Record], name: str) -> Table:
    """One of the report's tables."""
    return next(
        part for part in every_part(report(records).sections) if isinstance(part, Table) and part.id == name
    )


def test_the_answer_is_a_sentence_with_interval_scope_and_conditions() -> None:
    answer = section(markdown(report([measured(300.0)])), "The answer")
    assert re.search(r"One page takes 304 J \(2\d\d to 3\d\d\), 0\.03\d* g CO2e, with bloom-560m", answer)
    assert "absolute; Card A, new\\_tokens 340" in answer
    assert "scope gpu, measured, published weights" in answer


def test_random_weights_scopes_and_kinds_never_share_a_sentence() -> None:
    answer = section(markdown(report(varied())), "The answer")
    measured_here = answer.partition("### What was measured")[2].partition("###")[0]
    lines = [line for line in measured_here.splitlines() if line]
    assert len(lines) == 4
    assert sum("random weights, which are the shape of a model" in line for line in lines) == 1
    asked = section(markdown(report(varied(), shapes=True)), "The answer")
    assert sum("random weights, a shape)" in line for line in asked.splitlines()) == 1
    assert sum("scope host, estimated" in line for line in lines) == 1
    assert not any("spoilt" in line or "lost" in line for line in lines)


COMPARED = ("answer", "people", "machines", "scenarios")


def test_a_toy_is_compared_with_nothing_and_a_banner_says_so() -> None:
    """Not with people, published figures, other models or other machines; its own details are there."""
    made = report([toy(), toy(12.0, batch=4)], shapes=True)
    text = markdown(made)
    for each in made.sections:
        if each.id in COMPARED:
            tables = [part for part in every_part([each]) if isinstance(part, Table)]
            assert not any("tiny-bloom" in str(row.cells) for table in tables for row in table.rows), each.id
            sentences = [part for part in every_part([each]) if isinstance(part, str)]
            assert not any("tiny-bloom" in sentence and " J" in sentence for sentence in sentences)
    assert "Not an answer: 2 cases of a toy model" in section(text, "The answer")
    assert text.splitlines()[2].startswith("> **A smoke test, not a measurement of a model")
    assert "tiny-bloom" in section(text, "Every case")
    mixed = report([toy(), measured(300.0)])
    assert mixed.banner is not None
    assert mixed.banner.startswith("1 of 2 records are of toy models")
    assert report([measured(300.0)]).banner is None


def test_random_weights_stand_beside_people_only_where_asked_and_as_a_shape() -> None:
    shape = varied()[3]
    for asked in (False, True):
        made = report([shape], shapes=asked)
        names = [
            str(row.cells[0])
            for each in made.sections
            if each.id in ("people", "scenarios")
            for part in every_part([each])
            if isinstance(part, Table)
            for row in part.rows
            if row.case
        ]
        assert bool(names) == asked
        assert made.banner is not None
        assert made.banner.startswith("Shapes, not models")
    people = next(each for each in report([shape]).sections if each.id == "people")
    assert people.notes[0].startswith("Not shown here: 1 case of random weights")
    rows = [row for row in table_of([shape, measured(300.0)], "people-page").rows if row.case]
    assert not any("random" in str(row.cells[0]) for row in rows)


def test_grams_and_ratios_follow_from_joules_by_hand() -> None:
    """303.6 J × 400 g / 3.6e6 J; 1426.94 g of a person in the US over that."""
    row = table_of([measured(300.0)], "people-page").rows[0]
    joules, grams, times = raw(row.cells[3]), raw(row.cells[6]), raw(row.cells[9])
    assert joules == pytest.approx(303.6)
    assert grams == pytest.approx(303.6 * 400 / 3.6e6)
    assert times == pytest.approx(1426.9406 / (303.6 * 400 / 3.6e6))


def of_sound(engine: str = "audio", unit: str = "audio_second", joules: float = 300.0, **more: Any) -> Record:
    """A record of something that is counted in seconds."""
    return measured(
        joules, case=case(engine=engine, unit=unit, model=engine, options={}), label=engine, **more
    )


def test_seconds_stand_beside_people_and_published_figures_of_their_own_kind() -> None:
    """Music is composed and speech is read: one unit, and neither is set beside the other."""
    made = report([of_sound(), of_sound("speech", joules=2.0), of_sound("video", "video_second", 9e4)])
    section = next(each for each in made.sections if each.id == "people")
    tables = {part.id: part for part in every_part([section]) if isinstance(part, Table)}
    kinds = ["people-page", "people-image", "people-audio", "people-speech", "people-video"]
    assert [name for name in tables if name in kinds] == kinds
    names = {
        kind: [str(row.cells[0]) for key in (kind, f"{kind}-more") for row in tables[key].rows]
        for kind in kinds
    }
    assert names["people-audio"][0] == "audio · Card A"
    assert "AudioLDM2" in names["people-audio"]
    assert "Kokoro" in names["people-speech"]
    assert not {"Kokoro", "speech · Card A"} & set(names["people-audio"])
    assert any(name.startswith("US person, animating, top-down") for name in names["people-video"])
    heads = [column.name for column in tables["people-audio"].columns]
    at = heads.index("US person, composing ×")
    grams = 303.6 * 400 / 3.6e6
    assert raw(tables["people-audio"].rows[0].cells[at]) == pytest.approx(
        15e6 / 8760 * 4 / 60 / grams, rel=1e-3
    )
    assert {"US person ×", "India person ×"} <= {column.name for column in tables["people-speech"].columns}
    charts = {part.id for part in every_part([section]) if isinstance(part, Chart)}
    assert {f"people-video-{what}" for what in ("grams", "joules", "times")} <= charts


def test_the_answer_never_puts_music_and_speech_into_one_sentence() -> None:
    made = report([of_sound(), of_sound("speech", joules=2.0), of_sound("video", "video_second", 9e4)])
    answer = section(markdown(made), "The answer")
    assert re.search(r"One audio\\_second \(audio\) takes 304 J", answer)
    assert re.search(r"One audio\\_second \(speech\) takes 2\.02 J", answer)
    assert "One video\\_second takes" in answer


def test_every_line_of_a_chart_has_a_label_of_its_own() -> None:
    """46 published films, several of one model on one card by one laboratory."""
    pytest.importorskip("altair")
    made = report(
        [of_sound("video", "video_second", 9e4), of_sound(), of_sound("recognition", "heard_second")]
    )
    people = [each for each in made.sections if each.id == "people"]
    charts = [part for part in every_part(people) if isinstance(part, Chart)]
    assert len(charts) >= 3
    for chart in charts:
        rows = next(data for data in datasets(chart.draw()) if "label" in data["values"][0])["values"]
        labels = [(row["label"], row.get("count"), row.get("person")) for row in rows]
        assert len(set(labels)) == len(labels), chart.id


def test_joules_of_published_clips_are_those_of_a_second() -> None:
    rows = {
        row.cells[0]: row
        for row in table_of([of_sound()], "people-audio-more").rows
        if row.cells[1] == "published"
    }
    assert raw(rows["Tango 2"].cells[3]) == pytest.approx(708.1)


def test_pages_that_are_read_are_not_set_beside_the_papers_writers() -> None:
    """Another package's modality may count in pages."""
    writer = modalities.get("text")
    assert of_paper(writer)
    assert not of_paper(replace(writer, name="reader"))


def test_a_kind_without_people_says_why_and_draws_no_ratio() -> None:
    made = report([of_sound("voice")])
    section = next(each for each in made.sections if each.id == "people")
    assert any("seconds of spoken answers: No source counts the hours" in note for note in section.notes)
    charts = {part.id for part in every_part([section]) if isinstance(part, Chart)}
    assert "people-voice-joules" in charts
    assert "people-voice-times" not in charts


def test_without_a_record_of_sound_or_film_there_are_pages_and_images_alone() -> None:
    section = next(each for each in report([measured(300.0)]).sections if each.id == "people")
    tables = {part.id for part in every_part([section]) if isinstance(part, Table)}
    assert {name.removesuffix("-more").removesuffix("-times-table") for name in tables} == {
        "people-page",
        "people-image",
    }


def test_a_charts_lines_are_intervals_of_one_kind() -> None:
    """The spread of blocks would make an estimate look sharper than what is measured beside it."""
    pytest.importorskip("altair")
    made = report([*varied()[:5], measured(310.0, "Card C")], shapes=True)
    charts = [part for part in every_part(made.sections) if isinstance(part, Chart)]
    beside = [chart.draw() for chart in charts if chart.id.endswith(("-grams", "-joules"))]
    beside += [chart.draw() for chart in charts if chart.id.startswith("references")]
    assert len(beside) >= 4
    with_lines = 0
    for spec in beside:
        rows = [row for data in datasets(spec) if "label" in str(data) for row in data["values"]]
        kinds = {row["interval"].partition("(")[2] for row in rows if row["low"] is not None}
        assert kinds <= {"95 %, absolute)"}
        with_lines += bool(kinds)
    assert with_lines >= 3


def datasets(spec: object) -> list[dict[str, Any]]:
    """Every block of data of a chart that holds rows, each once."""
    if isinstance(spec, dict):
        own = [spec] if isinstance(spec.get("values"), list) else []
        found = own + [each for value in spec.values() for each in datasets(value)]
    else:
        found = [each for value in spec for each in datasets(value)] if isinstance(spec, list) else []
    return [each for number, each in enumerate(found) if each not in found[:number]]


def test_an_invalid_record_is_in_the_table_and_in_no_figure() -> None:
    rows = table_of(varied(), "cases-table").rows
    assert [row.cells[0] for row in rows if row.invalid] == ["spoilt", "lost"]
    for name in ("people-page", "matrix", "shares-idle-table"):
        assert not any("spoilt" in str(row.cells[0]) for row in table_of(varied(), name).rows)


def test_an_older_record_of_the_same_case_and_machine_gives_way() -> None:
    new = measured(300.0)
    old = measured(500.0, created="2025-01-01T00:00:00Z")
    joules = [raw(row.cells[3]) for row in table_of([old, new], "people-page").rows if row.case]
    assert len(joules) == 2  # gpu and host of the newer one
    assert max(each for each in joules if each is not None) < 400


def test_verdicts_against_a_baseline() -> None:
    text = section(markdown(report([measured(450.0)], [measured(300.0)])), "Against a baseline")
    assert re.search(
        r"\| J/page \| 303\.0 \([^|]*\| 454 \([^|]*\| 1\.500 \| .*\| 5 \|.*\| \*\*worse\*\* \|",
        text,
    )
    made = report([measured(450.0)], [measured(300.0)])
    assert (made.title, made.sections[0].id) == ("1 worse against the baseline", "verdicts")
    lights = next(part for part in made.sections[0].parts if isinstance(part, Table))
    assert lights.rows[0].cells[0] == Written("worse", tone="bad")
    assert not section(markdown(report([measured(1.0)])), "Against a baseline"), "nothing to compare with"


def test_an_accepted_change_is_shown_as_accepted(tmp_path: Path) -> None:
    before = replace(source([measured(300.0)]), folder=tmp_path)
    entry = Accepted(
        case="page",
        baseline=before.found[0].digest,
        metric="energy",
        ratio=1.5,
        up_to=1.6,
        reason="fp32 VAE",
        accepted="2026-01-01T00:00:00Z",
    )
    accepted.add(tmp_path / accepted.FILE_NAME, [entry])
    made = build.report([source([measured(450.0)])], Settings(choose("400")), before)
    assert made.title == "1 accepted against the baseline"
    lights = next(part for part in made.sections[0].parts if isinstance(part, Table))
    assert lights.rows[0].cells[0] == Written("accepted", tone="quiet")
    assert lights.rows[0].cells[-1] == "accepted 2026-01-01: fp32 VAE"


def test_scenarios_take_measured_joules_and_are_those_of_the_program() -> None:
    from bench.footprint.scenarios.build import build
    from bench.footprint.scenarios.files import bundled, find
    from bench.footprint.scenarios.scenario import ratio

    rows = table_of([measured(300.0)], "scenarios-table").rows
    own = {str(row.cells[0]): raw(row.cells[6]) for row in rows if row.case is None}
    assert own == {name: pytest.approx(ratio(build(find(name)).values(), "model")) for name in bundled()}
    assert any(row.case for row in rows)
    assert not any(row.case for row in table_of([], "scenarios-table").rows)


def test_shares_are_of_the_whole() -> None:
    row = table_of([measured(300.0)], "shares-phases-table").rows[0]
    assert [round(float(str(cell))) for cell in row.cells[2:]] == [85, 10, 5]


def test_a_case_has_its_blocks_budget_command_and_reasons() -> None:
    case = report([measured(300.0)]).cases[0]
    assert [table.id for table in case.tables] == [
        "facts",
        "budget",
        "expanded",
        "blocks",
        "case",
        "engine",
        "machine",
        "provenance",
    ]
    assert case.command == "python -m bench run bloom-560m"
    assert case.idle_w == 2.0
    assert [seen["role"] for seen in case.blocks][:2] == ["warm-up", "counts"]
    assert [seen["number"] for seen in case.blocks][:2] == [1, 2]
    assert case.blocks[3]["throttled"] == "throttled: thermal slowdown 12%"
    assert case.blocks[1]["power_w"] == pytest.approx(303.0 / 30)


def test_a_case_of_a_pair_has_the_ratio() -> None:
    ratio = Estimate(value=1.25, low=1.1, high=1.4, n=6)
    pair = Pair(side="A", other="sdxl float16", other_hash="0" * 16, order="ABBA", ratio=ratio)
    tables = {table.id: table for table in report([measured(300.0, pair=pair)]).cases[0].tables}
    assert ("ratio.value", "1.25") in {row.cells for row in tables["pair"].rows}


def test_remarks_say_what_stopped_a_case_and_name_no_folder_of_the_program() -> None:
    notes = {
        section.id: " ".join(
            [*section.notes, *(each for each in every_part([section]) if isinstance(each, str))]
        )
        for section in report(varied()).sections
    }
    assert "failed: no such revision" in notes["machines"]
    assert "collaboration.yaml:" in notes["scenarios"]
    assert "/collaboration.yaml" not in notes["scenarios"]


def test_a_trace_that_is_missing_broken_or_beyond_the_page_is_said_so_and_the_rest_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [measured(300.0 + number, created=f"2026-01-3{number}T12:00:00Z") for number in range(2)]
    assert [len(case.course.rows) for case in report(stored(tmp_path, records)).cases] == [300, 300]
    monkeypatch.setattr(traces, "MOST_BYTES", 100)
    told = report(records_below(tmp_path))
    newest, older = told.cases
    assert len(newest.course.rows) == 300
    assert not older.course.rows
    assert f"`python -m bench report {tmp_path}/0.json` shows it" in older.course.about
    assert "Traces of 1 of 2 cases that kept one are in this page" in markdown(told)
    monkeypatch.undo()
    (tmp_path / "traces" / "0.parquet").unlink()
    (tmp_path / "traces" / "1.parquet").write_bytes(b"spoilt")
    spoilt, gone = report(records_below(tmp_path)).cases
    assert "not a whole trace: " in spoilt.course.about
    assert "its trace traces/0.parquet is not there" in gone.course.about
    assert len(gone.blocks) == len(spoilt.blocks) == 6


NEVER_MEASURED = [
    {"energy_j": 1e306 * np.arange(1, 170), "throttle_mask": np.full(169, 1e300)},
    {"power_instant_w": np.full(169, 1.7e308)},
    {"power_instant_w": np.arange(1.0, 170.0)},
]


@pytest.mark.parametrize("values", NEVER_MEASURED)
def test_numbers_that_no_meter_gave_leave_the_page_whole(
    values: dict[str, NDArray[np.float64]], tmp_path: Path
) -> None:
    stored(tmp_path, [measured(300.0)])
    stamps = np.ones(169, np.int64) if len(values) == 1 else np.arange(1, 170)
    absent = dict.fromkeys(trace_files.VALUES, np.full(169, np.nan))
    trace_files.write(tmp_path / "traces" / "0.parquet", [Samples(GPU, stamps, absent | values)])
    (case,) = report(records_below(tmp_path)).cases
    assert "not a whole trace" not in case.course.about
    json.dumps(case.course.rows, allow_nan=False)


def test_all_cards_reasons_for_throttling_are_told_together() -> None:
    stamps = np.arange(100) * 500_000_000
    watts = np.full(100, 300.0)

    def card(name: str, mask: float) -> Samples:
        values = dict.fromkeys(trace_files.VALUES, np.full(100, np.nan)) | {
            "throttle_mask": np.full(100, mask)
        }
        return Samples(f"gpu:{name}", stamps, values)

    both = thinned(record(), [card("a", 0x4 | 0x1), card("b", 0x20)], stamps, watts)
    assert both.throttles == {0x24: "power-cap, sw-thermal"}


def test_nothing_at_all_and_only_invalid_records_say_so() -> None:
    assert "No records: nothing has been measured" in markdown(report([]))
    only = markdown(report([measured(1.0, status="invalid", reasons=["too hot"])]))
    assert "No valid figure: of 1 record found, none has joules that count." in only
    assert "too hot" in only


def test_nothing_in_a_record_becomes_markdown() -> None:
    text = markdown(report(hostile(), hostile()))
    assert not re.search(r"<(?!br)", text)
    assert "\u202e" not in text
    assert "\u0000" not in text
    assert max(map(len, text.splitlines())) < 40_000
    assert "root:" not in text


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_is_cleaned_to_one_line_that_can_be_seen(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) < LONGEST + 40
    assert len(clean(text[:LONGEST], 24)) <= 25, (
        "a cut that says how much it left out takes more than it saves"
    )
    assert all(each.isprintable() or each == "\u200d" for each in cleaned)
    assert "\n" not in escaped(text)


def test_what_is_not_known_is_a_dash_and_zero_a_zero() -> None:
    assert (shown(None), shown(0.0), shown(0.00012345)) == ("—", "0.0", "0.000123")


def test_labels_that_are_alike_are_told_apart() -> None:
    assert apart([("a", "11111x"), ("b", "2"), ("a", "33333x")]) == ["11111 a", "b", "33333 a"]
    assert apart([("a", "told3.H100.x"), ("a", "told3.B200.x")]) == ["H100 a", "B200 a"]
    several = ["m.H100.x", "m.B200.x", "d.gpu.x", "b.gpu.film_720p", "b.gpu.film_480p"]
    labels = apart([("a", key) for key in several])
    assert labels == ["m H100 a", "m B200 a", "d a", "b gpu film_720p a", "b gpu film_480p a"]


def test_markdown_needs_no_package_that_draws() -> None:
    program = (
        "import sys\nfrom tests.support.reported import report, varied\n"
        "from bench.view.markdown import markdown\n"
        "markdown(report(varied()))\n"
        "sys.exit(bool({'altair', 'vl_convert', 'jinja2', 'torch'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False, timeout=240).returncode == 0


def test_outputs_are_read_only_beside_their_record(tmp_path: Path) -> None:
    from bench.compare.record_set import StoredRecord
    from bench.view.report.outputs import kept

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "page-0.txt").write_text("A page.\n\u202eturned")
    (tmp_path / "out" / "image-0.png").write_bytes(b"\x89PNG\r\n\x1a\n....")
    (tmp_path / "out" / "film-0.mp4").write_bytes(b"\x00\x00\x00\x20ftypisom")
    (tmp_path / "out" / "film-1.mp4").write_bytes(b"not a film")
    (tmp_path.parent / "secret.txt").write_text("secret")
    (tmp_path / "link.txt").symlink_to(tmp_path.parent / "secret.txt")

    def of(*names: str) -> list[str | None]:
        found = StoredRecord(record(outputs=list(names)), str(tmp_path / "record.json"), "0")
        return [output.text or output.image or output.video or output.reason for output in kept(found)]

    assert of("out/page-0.txt", "out/image-0.png") == [
        "A page.\n\ufffdturned",
        "data:image/png;base64,iVBORw0KGgouLi4u",
    ]
    assert of("out/film-0.mp4", "out/film-1.mp4") == [
        "data:video/mp4;base64,AAAAIGZ0eXBpc29t",
        "it is not a text, a PNG or JPEG image, a WAV sound or an MP4 film",
    ]
    assert of("../secret.txt", "link.txt") == ["it is not beside its record"] * 2
    assert all(str(said).startswith("it cannot be read") for said in of("none.txt", "a\0b"))


def test_outputs_of_all_cases_have_one_bound_and_the_newest_come_first() -> None:
    def case(name: str, size: int) -> CaseDetails:
        kept = (KeptOutput("note", text="ab"), KeptOutput(name, image="x" * size))
        return CaseDetails(name, name, "ok", (), None, (), (), Timeline(""), None, kept)

    large = outputs_shown.LARGEST_TOGETHER - 10
    newest, next_one, last = outputs_shown.within_bounds([case("a", large), case("b", 7), case("c", 2)])
    assert newest.outputs[1].image == "x" * large
    assert [output.reason for output in next_one.outputs] == [None, outputs_shown.FULL]
    assert [output.reason for output in last.outputs] == [None, None]
    assert next_one.outputs[1].image is None


def test_of_a_sound_as_much_is_played_as_a_page_can_hold(tmp_path: Path) -> None:
    from bench.compare.record_set import StoredRecord
    from bench.view.report.outputs import LARGEST_IMAGE, kept

    rate_hz, frame_bytes = 20_000, 4
    for name, seconds in (("short", 1), ("long", 60)):
        with wave.open(str(tmp_path / f"{name}.wav"), "wb") as file:
            file.setparams((2, 2, rate_hz, 0, "NONE", ""))
            file.writeframes(bytes(range(256)) * (rate_hz * frame_bytes * seconds // 256))
    (tmp_path / "none.wav").write_bytes(b"RIFF")
    names = ["short.wav", "long.wav"]
    short, long = kept(StoredRecord(record(outputs=names), str(tmp_path / "record.json"), "0"))
    (none,) = kept(StoredRecord(record(outputs=["none.wav"]), str(tmp_path / "record.json"), "0"))
    assert (short.name, long.name) == ("short.wav", "long.wav (the first 5 s)")
    for output, frames in ((short, rate_hz * 4 // 4 // 64 * 64), (long, LARGEST_IMAGE // frame_bytes)):
        assert output.audio is not None
        start, _, content = output.audio.partition(",")
        assert start == "data:audio/wav;base64"
        with wave.open(io.BytesIO(base64.b64decode(content))) as played:
            assert (played.getnchannels(), played.getframerate(), played.getnframes()) == (2, rate_hz, frames)
            assert played.readframes(64) == bytes(range(256))
    assert str(none.reason).startswith("it is not a WAV file")
