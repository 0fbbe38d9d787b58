"""What a user of the plugin sees: table, files, exit status. Joules are planted, all else is real."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.core.energy_result import SavedSession
from tests.pytest_plugin.conftest import Session
from tests.pytest_plugin.planted import PlantedMeter, Truth

TWO = """
    import pytest

    @pytest.mark.energy(budget_j=200, per="page")
    def test_pages(energy_benchmark):
        assert energy_benchmark(lambda: "text", units=2) == "text"

    def test_call(energy_benchmark):
        energy_benchmark(lambda: None)
"""
ONE = """
    import pytest

    @pytest.mark.energy({marker})
    def test_it(energy_benchmark):
        energy_benchmark(lambda: [1, 2, 3, 4], {arguments})
"""


def one(pytester: pytest.Pytester, marker: str = "", arguments: str = "") -> None:
    pytester.makepyfile(ONE.format(marker=marker, arguments=arguments))


def folder(pytester: pytest.Pytester) -> Path:
    return pytester.path / ".energy" / "nvidia-sample-1a2b3c4d"


def test_section_and_files(pytester: pytest.Pytester, truth: Truth, session: Session) -> None:
    pytester.makepyfile(TWO)
    found = session("--energy-save=my base", "--benchmark-json=b.json", "--junitxml=junit.xml")
    assert found.ret == 0
    found.stdout.re_match_lines(
        [
            r"-+ energy \(joulebench\) -+",
            r"test +J/unit +95 % +n +J +s +W +scope +verdict",
            r".*::test_pages +150.0 J/page +148.5 to 151.5 +5 +300 +30.0 +10.0 +gpu, .*valid, within.*",
            r".*::test_call +300.0 J/call +297.1 to 302.9 +5 +300 +30.0 +10.0 +gpu, measured +valid",
            r"Saved as .*/\.energy/nvidia-sample-1a2b3c4d/0001_my-base\.json",
        ]
    )
    saved = SavedSession.model_validate_json((folder(pytester) / "0001_my-base.json").read_text())
    assert saved.machine == truth.machine()
    assert {test.partition("::")[2]: len(each.blocks) for test, each in saved.tests.items()} == {
        "test_pages": 5,
        "test_call": 5,
    }
    benchmarks = json.loads((pytester.path / "b.json").read_text())
    assert benchmarks["machine_info"]["energy"]["gpus"][0]["power_limit_w"] == 350.0
    energy = benchmarks["benchmarks"][0]["extra_info"]["energy"]
    assert (energy["energy_per_unit_j"], energy["round_j"], energy["power_w"]) == (150.0, 300.0, 10.0)
    assert (energy["unit"], energy["valid"], energy["budget_j"]) == ("page", True, 200)
    assert next(iter(energy["domains"].values()))["rounds_j"] == pytest.approx(
        [297.0, 300.0, 303.0, 298.5, 301.5]
    )
    assert "150 J per page" in (pytester.path / "junit.xml").read_text()


@pytest.mark.parametrize(
    ("change", "limits", "status", "line"),
    [
        (1.1, ["median:5%"], 1, "fail: median:5%: *::test_pages: worse, +10.0% (*"),
        (1.1, ["median:20%"], 0, "pass: median:20%: *::test_pages: worse, +10.0% (*"),
        (1.1, [], 0, "*::test_pages: +10.0% (*), worse"),
        (1.0, ["median:5%", "time:3%"], 0, "pass: median:5%: *::test_pages: *+0.0% (*"),
        (1.03, ["energy:3.5%"], 3, "unclear: energy:3.5%: *not distinguishable from the limit."),
        (0.8, ["median:5%"], 0, "pass: median:5%: *::test_pages: better, -20.0% (*"),
    ],
)
def test_gate_sets_the_exit_status(
    pytester: pytest.Pytester,
    truth: Truth,
    session: Session,
    change: float,
    limits: list[str],
    status: int,
    line: str,
) -> None:
    pytester.makepyfile(TWO)
    assert session("--energy-save=base").ret == 0
    truth.round_j *= change
    found = session("--energy-compare", *(f"--energy-fail={limit}" for limit in limits))
    assert found.ret == status, found.stdout.str()
    found.assert_outcomes(passed=2)
    found.stdout.fnmatch_lines([line])
    found.stdout.no_fnmatch_line("*Traceback*")


def test_compares_with_the_latest_or_a_number_or_a_file(
    pytester: pytest.Pytester, truth: Truth, session: Session
) -> None:
    pytester.makepyfile(TWO)
    for joules, name in ((300.0, "a"), (150.0, "b")):
        truth.round_j = joules
        session(f"--energy-save={name}")
    truth.round_j = 300.0
    first = str(folder(pytester) / "0001_a.json")
    for wanted, status in (([], 1), (["1"], 0), (["0002"], 1), ([first], 0)):
        asked = "=".join(["--energy-compare", *wanted])
        assert session(asked, "--energy-fail=median:5%").ret == status, wanted


def test_another_driver_is_not_comparable(pytester: pytest.Pytester, truth: Truth, session: Session) -> None:
    pytester.makepyfile(TWO)
    session("--energy-save=base")
    truth.driver, truth.round_j = "600.1", 900.0
    found = session("--energy-compare", "--energy-fail=median:5%", "-k", "call")
    assert found.ret == 3
    found.stdout.fnmatch_lines(
        [
            "*not comparable",
            "*::test_call: not comparable: machine.driver: 580.95, 600.1",
            "*only in the saved*",
        ]
    )
    found.stdout.no_fnmatch_line("*%)*worse*")


@pytest.mark.parametrize(
    ("round_j", "rounds", "status", "verdict"),
    [
        (300, 5, 0, "valid, within"),
        (410, 5, 1, "valid, above"),
        (398, 5, 3, "valid, budget unclear"),
        (10, 4, 3, "invalid, budget unclear"),
    ],
)
def test_budget(
    pytester: pytest.Pytester,
    truth: Truth,
    session: Session,
    round_j: float,
    rounds: int,
    status: int,
    verdict: str,
) -> None:
    truth.round_j = round_j * 1.0
    one(pytester, 'budget_j=99.5, per="page"', f"units=len, rounds={rounds}")
    found = session()
    assert found.ret == status
    found.stdout.fnmatch_lines([f"*J/page*{verdict}*"])
    found.assert_outcomes(passed=int(status != 1), failed=int(status == 1))
    if status == 1:
        found.stdout.fnmatch_lines(["102.5 J per page (95 %: * above the budget of 99.5 J per page."])
        found.stdout.no_fnmatch_line("*measuring.py*")


@pytest.mark.parametrize(
    ("marker", "sentence"),
    [
        ("joules=3", "*::test_it: the marker energy does not take joules. It takes budget_j, per,*"),
        ("3", "*::test_it: the marker energy does not take an argument without a name.*"),
        ("budget_j=-1", "*::test_it: budget_j=-1 is not a number of joules.*"),
        ("budget_j='2 J'", "*::test_it: budget_j='2 J' is not a number of joules.*"),
    ],
)
def test_a_wrong_marker_is_one_sentence_before_any_test(
    pytester: pytest.Pytester, truth: Truth, session: Session, marker: str, sentence: str
) -> None:
    one(pytester, marker)
    found = session()
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines([f"ERROR: {sentence}"])
    assert not PlantedMeter.log


def test_a_marker_of_that_name_on_other_tests_is_not_ours(
    pytester: pytest.Pytester, truth: Truth, session: Session
) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.energy('low')\ndef test_it(): pass")
    found = session()
    found.assert_outcomes(passed=1)
    found.stdout.no_fnmatch_line("*energy (joulebench)*")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--energy-fail=median:5%"], "*needs a saved session*Add --energy-compare."),
        (["--energy-compare"], "*no saved session in *Save one with --energy-save=NAME."),
        (["--energy-compare=7"], "*no saved session '7' in *"),
        (["--energy-compare=test_it.py"], "*test_it.py: not a saved session:*"),
        (["--energy-compare=a", "--energy-fail=median:5"], '*"median:5" is not a limit.*'),
        (["--energy-save=a", "-n2"], "*beside each other by pytest-xdist*Use -n 0*"),
    ],
)
def test_wrong_options_are_one_sentence_before_any_test(
    pytester: pytest.Pytester, truth: Truth, session: Session, options: list[str], sentence: str
) -> None:
    pytester.makepyfile(test_it=TWO)
    found = session(*options)
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines([f"ERROR: {sentence}"])
    assert not PlantedMeter.log


def test_a_folder_that_cannot_be_written_is_a_sentence_at_the_end(
    pytester: pytest.Pytester, truth: Truth, session: Session
) -> None:
    one(pytester)
    pytester.makefile("", taken="a file")
    found = session("--energy-save=base", "--energy-storage=taken")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stdout.fnmatch_lines(
        ["Error: */taken/*: cannot be written: *Name another folder with --energy-storage."]
    )


def test_a_session_that_did_not_pass_is_not_saved(
    pytester: pytest.Pytester, truth: Truth, session: Session
) -> None:
    one(pytester)
    session("--energy-save=base")
    truth.round_j *= 2
    found = session("--energy-compare", "--energy-fail=median:5%", "--energy-save=worse")
    assert found.ret == 1
    found.stdout.fnmatch_lines(["fail: *", "Not saved: the session did not pass."])
    assert [path.name for path in folder(pytester).iterdir()] == ["0001_base.json"]
    found = session("--energy-save=none", "--benchmark-disable")
    found.stdout.fnmatch_lines(["unclear: nothing was measured.", "Not saved: nothing was measured."])
    assert found.ret == 3
    assert session("--energy-save=none", "-m", "none").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_nothing_measured_cannot_pass_the_gate(
    pytester: pytest.Pytester, truth: Truth, session: Session
) -> None:
    one(pytester)
    session("--energy-save=base")
    found = session("--energy-compare", "--energy-fail=median:5%", "--benchmark-disable")
    assert found.ret == 3
    found.stdout.fnmatch_lines(
        ["*not measured: pytest-benchmark is switched off", "unclear: median:5%: nothing was compared*"]
    )


def test_a_broken_meter_fails_the_test_in_a_sentence(
    pytester: pytest.Pytester, truth: Truth, session: Session
) -> None:
    truth.broken = True
    one(pytester)
    found = session()
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["The recorder process has ended. Make a new bench.Meter."])
    found.stdout.no_fnmatch_line("*measuring.py*")
    assert truth.closed == 1


def test_nothing_that_a_session_shows_or_stores_has_a_secret(
    pytester: pytest.Pytester, truth: Truth, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "planted-0123456789")
    measured = PlantedMeter.result
    told = {"reasons": ["no power: planted-0123456789"], "absent": {"host": "no planted-0123456789"}}
    monkeypatch.setattr(PlantedMeter, "result", lambda meter: measured(meter).model_copy(update=told))
    pytester.makepyfile(TWO)
    done = session("--energy-save=base", "--benchmark-json=b.json", "--junitxml=junit.xml")
    refused = session("--energy-compare=planted-0123456789")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    files = [*pytester.path.glob("*.json"), *pytester.path.glob("*.xml"), *folder(pytester).iterdir()]
    texts = [done.stdout.str(), refused.stderr.str(), *(path.read_text() for path in files)]
    assert sum("***" in text for text in texts) == 4, "all but the XML, which has no reasons"
    assert not [text for text in texts if "planted-0123456789" in text]
