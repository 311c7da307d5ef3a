"""What administrators change of the network: locations, stations, connectors, tariff plans, strangers accepted.

Decides what a change must contain and what forbids it; the rows are written by `network_file`, as a fleet file's are.
"""
