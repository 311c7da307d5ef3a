"""The services that deliver to devices: Firebase Cloud Messaging, and those of web push."""
