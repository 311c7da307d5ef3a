"""Open fees with what is known of their cars, and the times that are paid for."""
