"""What passes between us and chargers, seen: traffic counted, frames kept, oddities noted."""
