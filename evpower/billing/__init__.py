"""What a charge costs and where the money is: tariffs, holds, settlement and the ledger.

The one way money moves. Knows no station and no payment provider.
"""
