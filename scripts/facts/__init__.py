"""Checks of the bundled facts: `scripts/check-facts`; their update: `scripts/update-factors`."""
