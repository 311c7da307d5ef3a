"""OCPP-J over WebSocket: transport, frames and outcomes. Knows no action."""
