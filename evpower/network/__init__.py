"""What drivers see: locations, stations and connectors, their status and presence, and the feed of changes.

Decides what a connector's public status is and what the list shows. Starts and stops nothing.
"""
