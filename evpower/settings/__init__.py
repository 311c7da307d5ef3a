"""Every setting: its kind, bounds and default. The only reader of the file and the environment.

Decides what a valid configuration is; what a setting does is its user's.
"""
