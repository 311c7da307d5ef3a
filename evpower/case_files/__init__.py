"""What happened to one charge or one client, gathered for the person who has to answer for it.

Decides the order of a timeline and what is missing in it; it changes nothing (contract/operator-pages §5, §6).
"""
