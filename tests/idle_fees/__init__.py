"""What a car that keeps a connector pays."""
