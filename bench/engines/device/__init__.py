"""Devices of all engines: memory, attention kernels, phases, and the translation of errors."""
