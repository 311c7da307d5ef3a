"""One provider each, nothing else: wire formats and signatures (contract/payments §2-3)."""
