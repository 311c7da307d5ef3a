"""psycopg on trio: generators driven, statements made cheaper, commands that share a round trip."""
