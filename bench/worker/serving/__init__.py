"""Parts of the producer `endpoint`: a server's process, its client, loads, windows and counts.

`server_process` starts and ends a server, `server_log` keeps what it prints, `address` finds where one is;
`client` asks one request, `loads` keep many open; `windows` place edges inside them, and
`account` counts what is between the edges.
"""
