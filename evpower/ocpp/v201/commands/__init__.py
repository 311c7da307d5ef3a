"""What is asked of an OCPP 2.0.1 station: our commands as its messages, and its answers as ours."""
