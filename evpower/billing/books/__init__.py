"""The books that are looked at: money of a day or a month, and the check of every night."""
