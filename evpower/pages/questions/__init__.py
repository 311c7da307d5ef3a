"""What stations reported and a person decides: parked reports, doubtful figures, charges that nobody pays for."""
