"""What the doctor asks the database itself."""
