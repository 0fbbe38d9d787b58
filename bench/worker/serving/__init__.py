"""What the producer `endpoint` is made of: a server's process, its client, loads, windows and counts.

`server_process` starts and ends a server, `address` says where one is; `client` asks one request, `loads`
holds many; `edges` places a window inside them, and `account` counts what lies in it.
"""
