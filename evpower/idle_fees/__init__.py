"""What a driver pays for a car that keeps a connector after its charge (contract/roadmap/smart-charging §6)."""
