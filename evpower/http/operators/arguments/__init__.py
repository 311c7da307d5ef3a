"""What operators give to each operation on a station, as types that perform themselves."""
