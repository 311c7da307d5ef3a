"""The rows administrators see and change, and the strangers seen at the door."""
