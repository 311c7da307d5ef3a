"""What phones are answered, as types: the fields of contract/rest-api, and where null may stand (§1.3, ruling 6.5)."""
