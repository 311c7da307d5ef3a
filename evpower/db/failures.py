"""How the driver reports a database that is away or refuses, for code that writes no SQL."""

from __future__ import annotations

import psycopg

#: Every failure of a statement or of its connection.
DatabaseFailure = psycopg.Error
#: The connection is lost, or there is none: what was asked may be asked again.
DatabaseAway = psycopg.OperationalError
#: The statement met another unit of work; the same may be done again at once.
DATABASE_CONFLICTS = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
#: What the statement says cannot be: a sum beyond its column, a row that breaks a constraint. The same fails again.
UNACCEPTABLE = (psycopg.DataError, psycopg.IntegrityError)
