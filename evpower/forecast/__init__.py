"""How likely a connector will be free: what was observed, what is forecast of it, and how good the forecasts were.

Decides how observations become a probability and when there is none; a driver's charge and the network's present state
are other rooms' (roadmap/forecast-navigation §1-§4, §6).
"""
