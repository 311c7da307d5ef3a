"""What payment providers call: webhooks, and who may call them how often."""
