"""`scripts/check-facts`: every check of the bundled facts, with its faults; status 1 where there is one."""

from __future__ import annotations

from scripts.facts.checks import CHECKS, facts


def main() -> int:
    """Print the checks and their faults."""
    found, faults = facts(), 0
    for name, check in CHECKS.items():
        sentences = list(check(found))
        faults += len(sentences)
        print(f"{'ok' if not sentences else len(sentences):>4}  {name}")
        for sentence in sentences:
            print(f"      {sentence}")
    rows = len(found.factors) + len(found.published) + len(found.baselines)
    print(f"{rows} rows, {len(found.sources)} sources, {len(found.models)} models: {faults} faults.")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
