"""What operators ask of chargers, and what follows: availability, configuration, profiles, lists, transfers.

Decides what is kept of a charger's answer. A charge's own commands are charging's.
"""
