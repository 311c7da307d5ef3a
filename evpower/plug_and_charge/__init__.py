"""What a car that pays by its contract needs of others (ISO 15118): OCSP responders, a provider of certificates.

Who is asked is a setting; without one nobody is, and the station reads that it failed (contract/ocpp201 §2).
"""
