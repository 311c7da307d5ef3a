"""One planted bug for each line of safe by default, and the test that sees it (`make planted`)."""
