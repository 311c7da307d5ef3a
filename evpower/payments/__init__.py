"""Money in and money back: top-ups by QR code and card, webhooks, polls, refunds and operators' decisions.

Decides what a provider's answer means. Its entries are posted by billing.
"""
