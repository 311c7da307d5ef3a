"""Case files as operators read them: of a charge, a client, a payment."""
