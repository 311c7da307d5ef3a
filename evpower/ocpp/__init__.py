"""The charger's wire: OCPP-J over WebSocket."""
