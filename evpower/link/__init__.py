"""Ports to stations: what the rooms may ask of one, and the task that outlives the request.

Decides the types of commands and of their outcomes; the door carries them out.
"""
