"""Joules to CO2e, water and money; human baselines and published figures. Pure functions."""
