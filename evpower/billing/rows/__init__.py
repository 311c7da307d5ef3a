"""Ledger, clients, debts and tariffs as stored."""
