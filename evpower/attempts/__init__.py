"""Every attempt to start a charge, and the answer it got: why one did not start at nine.

Decides nothing; keeps for a month what the doors answered, also where no session came of it.
"""
