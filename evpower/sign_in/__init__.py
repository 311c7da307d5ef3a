"""Who a person is, by a code sent to the phone: codes, SMS, the tokens we issue for it, and how they end.

Whose token a request carries is decided in `identity`; what a person may do, by the room that does it.
"""
