"""What is gathered from the rows of every room, in a few statements."""
