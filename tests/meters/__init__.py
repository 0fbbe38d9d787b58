"""Meters, held against a stand-in whose truth is known."""
