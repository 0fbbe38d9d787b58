"""Tests of pages, figures and tables for people."""
