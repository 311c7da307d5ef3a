"""What a command shows that is more than a table: a charge, a client, a conversation."""
