"""What passes between us and stations, seen: traffic counted, frames kept, oddities noted."""
