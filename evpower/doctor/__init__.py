"""What `evpower doctor` looks at: settings, machine, database, and what a running server saw.

Decides what of it is good, doubtful or wrong, and what to do. Each check is a function of facts; reading them is apart
(`examination.py`), so that it works with the server running or stopped. It changes nothing.
"""
