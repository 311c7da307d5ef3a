"""`evpower demo`: the server, a simulated street around it, a bank, and something of everything that goes wrong."""
