"""The server's figures for Prometheus: nothing is kept here, each scrape reads what the services count anyway.

Labels have fixed values, or name a station that was admitted; nothing of a driver (client, phone, id tag) is one.
"""
