"""The simulated charger against a central system made of trio-websocket and memory streams."""
