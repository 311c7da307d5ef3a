"""Sessions, transactions, the journal of reports, parked reports and what was given away."""
