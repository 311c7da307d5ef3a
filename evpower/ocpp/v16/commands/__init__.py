"""What is asked of an OCPP 1.6 station: our commands as its messages, and its answers as ours."""
