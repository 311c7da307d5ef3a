"""No tests: fuzzers, by `make fuzz`, for as many minutes as given."""
