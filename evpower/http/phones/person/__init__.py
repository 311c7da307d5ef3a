"""What a person keeps and is: favorites, devices for messages, profile."""
