"""A key given with a POST: claimed in the unit of work of its effect, answered again from it.

Decides who owns a key and for how long; what the answer was is its user's.
"""
