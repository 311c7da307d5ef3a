"""What works without a server: the database as a whole, and the doctor."""
