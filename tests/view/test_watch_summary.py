"""What a watched command's joules are worth, by what metered them."""

from __future__ import annotations

from bench.core.block import Block
from bench.core.energy import DomainEnergy
from bench.core.energy_result import EnergyResult
from bench.footprint import grid
from bench.stats.figures import derive
from bench.stats.uncertainty import of
from bench.view.watch_summary import WatchedCommand, sections
from tests.support.factory import CARBON, block, energy
from tests.support.own_windows import result


def watched(energies: dict[str, DomainEnergy]) -> str:
    """The notes of five runs on a machine without a card."""
    runs: list[Block] = [block(energies=energies)] * 5
    plain: EnergyResult = result(1.0).model_copy(
        update={"blocks": runs, "figures": derive(runs, CARBON), "unit": "run"}
    )
    figures = plain.figures.model_copy(update={"uncertainty": of(plain)})
    run = WatchedCommand(
        command=["sleep", "1"],
        exit_status=0,
        result=plain.model_copy(update={"figures": figures}),
        gpus=(),
        unread={},
        strangers=(),
        own_share=0.0,
    )
    return " ".join(str(each) for each in sections(run, grid.choose("USA")) if isinstance(each, str))


def test_without_a_card_none_is_named() -> None:
    notes = watched(
        {"cpu-estimate": energy(240.0, kind="estimated"), "ram-estimate": energy(600.0, kind="estimated")}
    )
    assert "the error of the model of power included" in notes
    assert "Here joules follow time only: a model of power, not a meter, gives 28 W" in notes
    assert "card" not in notes
