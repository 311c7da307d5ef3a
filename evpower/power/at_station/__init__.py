"""The planner's way to stations: our limits as they are commanded, and what stations have that is not ours."""
