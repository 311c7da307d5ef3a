"""Which station may be which station: passwords, certificates, the station CA and security profiles.

Decides what is signed and trusted; the handshake is the door's.
"""
