"""Id tags and the free-vend policy as stored."""
