"""Time that a fleet spends outside its cases: `python -m scripts.fleet`."""
