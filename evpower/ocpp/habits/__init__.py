"""What this process remembers of stations, whatever socket they come by."""
