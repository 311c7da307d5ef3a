"""What a driver pays for a car that keeps a connector after its charge (contract/roadmap/smart-charging §6).

It decides when a car waits, when that may cost and when it is over. The price is a tariff's; `billing` moves money.
"""
