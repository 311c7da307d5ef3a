"""A transaction whose BEGIN goes with its first statement, and whose savepoints cost no round trip of their own."""

from __future__ import annotations

from evpower.db.driver.pipeline import DatabaseCommand


class TransactionLevel:
    """One level of a connection's transactions; `unsent` is what the connection sends before its next statement.

    What psycopg's own does and this does not: forget every prepared statement at a rollback. That is for types and
    tables that the transaction had made; ours makes none, and planning them all anew costs more than what failed.
    """

    def __init__(self, unsent: list[DatabaseCommand], depth: int, begin: bytes) -> None:
        """At depth 0 the transaction itself, deeper a savepoint."""
        self._unsent = unsent
        self._is_outer = depth == 0
        self._savepoint = b"evpower_%d" % depth
        self._begun = DatabaseCommand(begin if self._is_outer else b"SAVEPOINT " + self._savepoint)
        unsent.append(self._begun)

    @property
    def is_begun(self) -> bool:
        """Whether PostgreSQL has heard of it."""
        return all(command is not self._begun for command in self._unsent)

    def commit(self) -> bool:
        """Whether the unsent is to be sent now. A savepoint is released with whatever comes next."""
        if not self.is_begun and self._unsent[-1] is self._begun:
            self._forget()
            return False
        if self._is_outer:
            self._unsent.append(DatabaseCommand(b"COMMIT"))
            return True
        self._unsent.append(DatabaseCommand(b"RELEASE " + self._savepoint))
        return False

    def roll_back(self) -> bool:
        """Whether the unsent is to be sent now: what had been, of this level, is undone by it."""
        if not self.is_begun:
            self._forget()
            return False
        self._unsent.clear()
        if self._is_outer:
            self._unsent.append(DatabaseCommand(b"ROLLBACK"))
        else:
            for command in (b"ROLLBACK TO ", b"RELEASE "):
                self._unsent.append(DatabaseCommand(command + self._savepoint))
        return True

    def _forget(self) -> None:
        """Nothing of it was sent, so nothing is to be undone."""
        place = next(place for place, command in enumerate(self._unsent) if command is self._begun)
        del self._unsent[place:]
