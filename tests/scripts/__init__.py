"""Tests of the tools in `scripts/`, in a folder for each tool."""
