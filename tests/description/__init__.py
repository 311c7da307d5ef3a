"""The written descriptions in `docs/`: `make describe` writes them anew, tests compare them with the application."""
