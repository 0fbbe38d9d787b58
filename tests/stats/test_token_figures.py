"""Joules over tokens read and written, worked out by hand from blocks."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bench.compare.record_row import flat
from bench.compare.record_set import StoredRecord
from bench.core.block import Block, Phase
from bench.core.figures import Estimate, ScopedFigure
from bench.core.record import Record
from bench.stats import token_figures
from bench.stats.figures import derive
from bench.view import record as view
from bench.view import terminal
from tests.support import factory

CPU_AND_GPU = {factory.GPU: factory.energy(200.0, 160.0), factory.CPU: factory.energy(50.0, None)}


def phase(joules: float | None) -> Phase:
    return Phase(seconds=1.0, count=1, energy={factory.GPU: factory.energy(joules)})


def page(
    joules: float,
    written: int | None,
    read: int | None,
    reasoning: int | None = None,
    phases: Mapping[str, Phase] | None = None,
) -> Block:
    observed = {"prompt_tokens": read, "reasoning_tokens": reasoning}
    return factory.block(joules, tokens=written, observed=observed, phases=dict(phases or {}))


def value(figure: ScopedFigure | Estimate | None) -> float:
    found = figure.gross if isinstance(figure, ScopedFigure) else figure
    assert found is not None
    return found.value


def test_each_figure_is_a_mean_over_blocks() -> None:
    found = token_figures.derive([page(300.0, 600, 100), page(200.0, 400, 200)])
    assert found is not None
    assert value(found.per_input_token_j["gpu"]) == pytest.approx((3.0 + 1.0) / 2)
    assert value(found.per_total_token_j["gpu"]) == pytest.approx((300 / 700 + 200 / 600) / 2)
    assert value(found.output_tokens_per_j["gpu"]) == pytest.approx(2.0)
    net = found.output_tokens_per_j["gpu"].net
    assert net is not None
    assert net.value == pytest.approx((600 / 240 + 400 / 140) / 2)  # 2 W of idle over 30 s
    assert found.reasoning_token_share is None


def test_scopes_are_apart_and_what_one_domain_lacks_costs_its_scope_the_figure() -> None:
    blocks = [factory.block(energies=CPU_AND_GPU, tokens=100, observed={"prompt_tokens": 50})] * 2
    found = token_figures.derive(blocks)
    assert found is not None
    assert value(found.per_input_token_j["gpu"]) == pytest.approx(4.0)
    assert value(found.per_input_token_j["host"]) == pytest.approx(5.0)
    host = found.output_tokens_per_j["host"]
    assert value(host) == pytest.approx(0.4)
    assert (host.net, host.reason) == (None, "idle power is not known for every domain")


def test_what_reads_and_writes_nothing_has_no_figures_and_what_only_reads_has_one() -> None:
    assert token_figures.derive([]) is None
    assert token_figures.derive([factory.block()]) is None
    assert token_figures.derive([page(300.0, 600, 100), page(300.0, None, None)]) is None
    read = token_figures.derive([page(300.0, None, 100)] * 2)
    assert read is not None
    assert value(read.per_input_token_j["gpu"]) == pytest.approx(3.0)
    assert read.per_total_token_j == read.output_tokens_per_j == {}


def test_a_phase_is_over_the_tokens_that_are_its_own() -> None:
    split = {"prefill": phase(20.0), "decode": phase(270.0)}
    found = token_figures.derive([page(300.0, 600, 100, phases=split)] * 2)
    assert found is not None
    assert {name: each.value for name, each in found.per_token_of_phase_j.items()} == {
        "prefill": pytest.approx(0.2),
        "decode": pytest.approx(0.45),
    }
    unknown = split | {"prefill": phase(None)}
    partly = token_figures.derive(
        [page(300.0, 600, 100, phases=split), page(300.0, 600, 100, phases=unknown)]
    )
    assert partly is not None
    assert partly.per_token_of_phase_j.keys() == {"decode"}


def test_an_older_record_gives_them_from_its_blocks_and_they_are_shown() -> None:
    split = {"prefill": phase(20.0), "decode": phase(270.0)}
    blocks = [page(300.0, 600, 100, phases=split, reasoning=150)] * 5
    record = factory.record(blocks=[*blocks, factory.block(900.0, warmup=True, tokens=1)])
    assert record.figures.tokens is None
    found = token_figures.of(record)
    assert found is not None
    assert value(found.reasoning_token_share) == 0.25
    shown = " ".join(terminal.text(view.sections(record)).split())
    for row in (
        "J per output token, gpu 0.5",
        "J per input token, gpu 3.0",
        "J per total token, gpu 0.429",
        "output tokens per J, gpu 2.0",
        "J of prefill per input token, gpu 0.2",
        "J of decode per output token, gpu 0.45",
        "reasoning, share of output tokens 0.25",
    ):
        assert row in shown
    record.figures.tokens = found
    assert token_figures.of(record) is found


def test_a_record_without_tokens_shows_no_rows_of_them() -> None:
    shown = terminal.text(view.sections(factory.record()))
    assert "J per page" in shown
    assert "input token" not in shown
    assert "tokens per J" not in shown


def chain() -> Record:
    """A file of a voice chain as older versions wrote it: all its joules over the tokens of one part."""
    blocks = [page(900.0, 30, 20, phases={"speech": phase(600.0), "text": phase(60.0)}) for _ in range(3)]
    record = factory.record(blocks=blocks, case=factory.case(engine="voice", unit="audio_second"))
    record.figures.tokens = token_figures.derive(blocks)
    assert set(record.figures.energy_per_token_j) == {"gpu"}
    return record


def test_tokens_of_a_chain_are_those_of_the_part_that_writes() -> None:
    record = chain()
    assert token_figures.per_output_token(record) == {}
    found = token_figures.of(record)
    assert found is not None
    assert (found.per_input_token_j, found.per_total_token_j, found.output_tokens_per_j) == ({}, {}, {})
    assert value(found.per_token_of_phase_j["text"]) == pytest.approx(60 / 30)
    shown = terminal.text(list(view.sections(record)))
    assert "J of text per output token, gpu" in shown
    assert "J per output token" not in shown.replace("J of text per output token", "")
    row = flat(StoredRecord(record, "a.json", "0" * 16))
    assert (row["energy_per_token_j"], row["energy_per_input_token_j"]) == (None, None)


def test_a_new_record_of_a_chain_has_no_joules_over_its_tokens() -> None:
    assert derive(chain().blocks, None, per_token=False).energy_per_token_j == {}


def test_phases_without_joules_have_a_reason() -> None:
    blocks = [
        factory.block(phases={name: Phase(seconds=9.0, count=1, energy={}) for name in ("prefill", "decode")})
        for _ in range(3)
    ]
    record = factory.record(blocks=blocks)
    reason = "no GPU was metered, whose counter is fast enough to separate phases"
    assert record.figures.absent["phase_energy_share.prefill"] == reason
    record.figures.absent.clear()  # as in older files
    assert f"joules of all phases: {reason}." in " ".join(terminal.text(list(view.sections(record))).split())
