"""The life of one session: reserve, ask the station, begin, meter, stop, settle, recover.

Decides whose charge a transaction is and when it ends. Prices and postings are billing's, OCPP is the door's.
"""
