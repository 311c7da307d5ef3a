"""What stations report, written down: one method for each thing a station can say.

Decides what is kept and which service hears of it. The rules are those services'.
"""
