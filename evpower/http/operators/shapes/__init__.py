"""What operators and administrators read: records of the rooms as JSON bodies, keys in their order."""
