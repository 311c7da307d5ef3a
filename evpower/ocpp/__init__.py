"""The door for stations: OCPP-J over WebSocket.

Turns wire into domain and back. No rule of a charge lives here.
"""
