"""Sections of `bench footprint`: a module a verb, typed results in, sections out."""
