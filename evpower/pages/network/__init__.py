"""`/network`: what there is, what it costs, who wants in, and the fleet file (contract/operator-pages §8)."""
