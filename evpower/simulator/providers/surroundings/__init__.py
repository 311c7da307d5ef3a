"""What both providers stand in: HTTP on loopback, faults, the courier of webhooks, a clock that can be moved."""
