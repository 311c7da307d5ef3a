"""Who a bearer token says its caller is, and whether that is believed (contract/roadmap/identity §1).

Tokens are checked here and nowhere else; what their bearer may do is decided by the doors.
"""
