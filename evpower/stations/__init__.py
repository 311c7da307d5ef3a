"""What operators ask of stations, and what follows: availability, configuration, profiles, lists, transfers.

Decides what is kept of a station's answer. A charge's own commands are charging's.
"""
