"""The simulated station: its hardware, what it says on its own and how it answers commands."""
