"""Orders, refunds, parked payments and what providers said, as stored."""
