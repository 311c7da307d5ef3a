"""Mutants of the rooms of money: one small change at a time, and whether a test sees it (`make mutants`)."""
