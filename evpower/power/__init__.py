"""Sites that cannot give every car all it could draw: who may draw how much, and that it is never too much in sum.

Decides what is granted (`allocation.py`), and in which order grants may change so that whatever stations do, or do not
answer, the sum of what they may draw keeps to the limit (`possible_draw.py`, `planning.py`). roadmap/smart-charging.
"""
