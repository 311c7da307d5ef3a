"""What the private PostgreSQL (`db/embedded.py`) asks of the machine: a directory to itself, an account of its own."""
