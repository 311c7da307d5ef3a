"""How a driver gets to a station: what is near, links into other apps, the stops of a long way.

Distances are ours, or a router's of the operator; figures of a car are its driver's (roadmap/forecast-navigation §5).
"""
