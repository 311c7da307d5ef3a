"""Ports to chargers: what the rooms may ask of one, and the task that outlives the request.

Decides the words of a command and of its outcome; who carries it out is the door's.
"""
