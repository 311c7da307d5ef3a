"""No tests: the shipped proxy files with real nginx and Caddy in front of a started server, by `make proxies`."""
