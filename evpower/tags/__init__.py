"""Whom a card is: id tags, groups and their status.

Decides a card's verdict and which stations charge strangers' cards for free.
"""
