"""Certificates, credentials and security events as stored."""
