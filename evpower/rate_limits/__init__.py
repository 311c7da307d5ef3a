"""How many requests one identity may make within a minute, and how many it has made (contract/identity §5).

Decides whether one more is let through; who makes it is its door's to find out.
"""
