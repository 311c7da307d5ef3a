"""OCPP-J as a station speaks it: address, frames, one socket, and what went over it. Shares nothing with the server."""
