"""Whether verdicts hold: equal things called equal, a planted regression found, unlike things refused."""
