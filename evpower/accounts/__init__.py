"""A client's account as such: its end on request, the way back, what is erased, and two accounts that become one.

Decides whose account a client id is (contract/roadmap/identity §2). Money is moved by `billing` alone.
"""
