"""Statistics over stored records: comparing, gating, ranking. Needs neither torch nor a GPU."""
