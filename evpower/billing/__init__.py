"""What a charge costs: money rules, tariffs, the ledger, reservation and settlement."""
