"""Meters of other machines: agents on the nodes of one server, asked for windows over HTTP.

`address` names the nodes, `messages` has what is sent, `clock` the offset between clocks, `client` asks one
agent, `serving_nodes` all of them. The agent itself is `bench.fleet.meter_agent`.
"""
