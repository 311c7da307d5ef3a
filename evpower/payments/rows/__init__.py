"""Orders, refunds, parked payments and providers' answers, as stored."""
