"""The project's tools: what takes too long for the suite, and what makes a file of the repository."""
