"""What a charger does and what a driver's charge is: models, reports from chargers, sessions, recovery."""
