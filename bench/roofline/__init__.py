"""Roofline: bytes and operations of a record's phases, over what the same device reached at most.

    phases/            how the phases of a modality are counted, a file of its name each
    work.py            bytes and operations of a phase, from the case and the shape of its model
    phases/            the phases of each kind of work, a module a counter
    utilisation.py     how near each phase came to the measured peaks

Reads records only. What measures the peaks is in `bench.engines.roofline`, since it needs torch.
"""
