"""OCPP 2.0.1: messages, handlers, commands. The twin of `v16`, file by file."""
