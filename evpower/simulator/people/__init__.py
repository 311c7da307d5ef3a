"""People at simulated stations: drivers with cables and cards, and those who start charges by phone."""
