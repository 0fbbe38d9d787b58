"""Tests of `bench fleet`."""
