"""PostgreSQL and Redis themselves: connections, the pool, units of work, migrations, the embedded server.

Knows the driver and no table of a room.
"""
