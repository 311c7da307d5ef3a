"""Staff: the people who run the network, signed in by a token of their own (contract/roadmap/identity §3).

Decides who is staff, which right each role has, which stations are an operator's own, and how a second factor is shown.
"""
