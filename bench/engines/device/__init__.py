"""What all engines share: devices, memory, attention kernels, phases, and the translation of errors."""
