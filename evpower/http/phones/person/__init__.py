"""What a person keeps and is: favorites, profile."""
