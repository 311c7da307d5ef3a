"""The doors for a driver who is on the way: how likely a connector will be free, what is near, how to get there."""
