"""What stations' meters say, what of it is believed, and the journal that commits reports in groups.

Decides whether a figure can be true and that a report is durable before it is answered. What a charge costs by it is
billing's, when it ends is charging's.
"""
