"""Who is counted for a request of the people's door, and what an identity gets that has made too many."""
