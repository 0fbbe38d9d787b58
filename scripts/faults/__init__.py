"""Everything that can befall meters and processes, on a stand-in card: `scripts/bench-torture faults`."""
