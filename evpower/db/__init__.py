"""All SQL, and the driver beneath it."""
