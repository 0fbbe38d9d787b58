"""Peaks of a device, measured; bytes and operations of a model's pass, counted."""
