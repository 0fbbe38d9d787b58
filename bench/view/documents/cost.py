"""Document of `footprint cost --json`: electricity of each case, and list prices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.footprint.bundled_rows import Factor
from bench.footprint.caveats import COSTS_LEAVE_OUT
from bench.footprint.cost import PricedRate, list_prices, per
from bench.view.documents.sourced import chain_json, quantity_json


def document(priced: Sequence[PricedRate], price: Factor) -> dict[str, Any]:
    """The price of a kWh, and an object a case and a list price."""
    return {
        "price": price.model_dump(exclude_none=True),
        "electricity": [
            {
                "case": rate.name,
                "kind": rate.kind,
                "weights": rate.weights,
                "per": per(rate)[1],
                "joules": quantity_json(per(rate)[0]),
                "range": rate.range_is,
                "source": rate.source,
                "cost": chain_json(chain),
            }
            for rate, chain in priced
        ],
        "list_prices": [
            {"system": each.system.name, **each.price.model_dump(), "page": quantity_json(each.page)}
            for each in list_prices()
        ],
        "left_out": COSTS_LEAVE_OUT,
    }
