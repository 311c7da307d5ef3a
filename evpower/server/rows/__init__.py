"""The server's own figures and tables for `status`, metrics and upkeep."""
