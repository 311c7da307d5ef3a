"""What the page of the system shows, read from this process, its machine and its database."""
