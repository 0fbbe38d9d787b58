"""Records to pages, figures and tables for people. Reads records only."""
