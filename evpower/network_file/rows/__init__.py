"""The network's tables as a fleet file writes them."""
