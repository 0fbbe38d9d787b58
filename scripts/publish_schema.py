"""Write docs/record.schema.json from the record's types: `python -m scripts.publish_schema`."""

from __future__ import annotations

import json
from pathlib import Path

from bench.core.record import Record

PUBLISHED = Path(__file__).parents[1] / "docs" / "record.schema.json"


def published_text() -> str:
    """The JSON Schema of a record as it is published."""
    return json.dumps(Record.model_json_schema(by_alias=True), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    PUBLISHED.write_text(published_text(), encoding="utf-8")
    print(PUBLISHED)
