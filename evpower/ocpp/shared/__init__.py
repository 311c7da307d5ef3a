"""What both versions of OCPP have in common of what they say."""
