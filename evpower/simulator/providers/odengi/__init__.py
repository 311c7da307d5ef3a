"""O!Dengi's server, its invoices, and the wallet of those who pay by QR code."""
