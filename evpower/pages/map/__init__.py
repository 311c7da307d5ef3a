"""`/map`: the network where it is, on the outlines of oblasts, without tiles (contract/operator-pages §3.2)."""
