"""Sites with a limit: their groups, and one with its shares as they move (roadmap/smart-charging §7)."""
