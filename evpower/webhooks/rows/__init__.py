"""Endpoints and deliveries as stored."""
